"""Incidents: opened by evidence that lasts, closed when it is over. Pure functions of results."""
