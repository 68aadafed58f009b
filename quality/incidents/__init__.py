"""Incidents: opened by lasting evidence, closed when it ends. Pure functions of results."""
