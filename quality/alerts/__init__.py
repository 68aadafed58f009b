"""Alerts: one message to every sink for each incident that opens or closes. Knows no Dagster and no check."""
