"""Data quality: checks, drift, incidents, alerts and retraining. Does not depend on Dagster."""
