"""Operating the cameras' models: comparison of versions, retraining requests, and the outbox for people and trainers.

`verdicts` and `triggers` decide from aggregates alone; `marts`, `outbox`, `training_set` and `tracking` store and
write; `step` runs them in a batch. Does not depend on Dagster.
"""
