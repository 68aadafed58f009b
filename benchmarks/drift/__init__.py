"""Measures the false alarms and detection delays of the drift checks on simulated years."""
