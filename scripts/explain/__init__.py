"""`make explain`: from one row of worker_shifts back to the intervals, rules and records that made it."""
