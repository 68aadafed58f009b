"""Retention, erasure and the search that proves an erasure."""
