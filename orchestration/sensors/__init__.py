"""Sensors: a pure decision each, and the few lines of Dagster that ask for it."""
