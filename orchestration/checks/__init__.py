"""Asset checks: the suites of `quality` as Dagster shows them. No rule lives here."""
