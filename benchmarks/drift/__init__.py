"""False alarms and detection delays of the drift checks on simulated years."""
