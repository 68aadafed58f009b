"""Telling people of incidents: each opening and each closing, to every sink. Knows no Dagster and no check."""
