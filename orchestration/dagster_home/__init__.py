"""Dagster's own folder and files: configuration, run records, the runs that were lost."""
