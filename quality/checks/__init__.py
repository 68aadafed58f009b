"""Checks of a day or of the plant as it is now: drift, counts, freshness; results are plain values."""
