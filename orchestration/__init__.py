"""Decides what runs when: Dagster's assets, checks, sensors, schedules and their steps. Decides nothing about data."""
