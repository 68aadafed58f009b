"""What runs when: Dagster's assets, checks, sensors and schedules, and the steps they call. Decides nothing about data."""
