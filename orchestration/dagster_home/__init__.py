"""Dagster's own folder and files: configuration, run records, lost runs."""
