"""Running the cameras' models: versions compared, retraining asked for, the outbox for people and trainers.

`verdicts` and `triggers` decide, from aggregates alone; `marts`, `outbox`, `training_set` and `tracking` store and
write; `step` is the order in which a batch does it. Knows no Dagster.
"""
