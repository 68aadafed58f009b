"""Incidents: lasting evidence opens them, and its end closes them."""
