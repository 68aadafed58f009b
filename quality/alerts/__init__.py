"""Alerts: one message to every sink for each incident that opens or closes. Does not depend on Dagster or checks."""
