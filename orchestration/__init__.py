"""What runs when: Dagster's assets, checks, sensors and schedules, and their steps. Decides nothing about data."""
