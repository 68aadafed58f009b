"""Sensors: each is a pure decision, and a few lines of Dagster that call it."""
