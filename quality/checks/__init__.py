"""Checks of a day, or of the plant's current state: drift, counts and freshness. Results are plain values."""
