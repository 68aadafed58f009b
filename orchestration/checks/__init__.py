"""Asset checks: Dagster's view of the suites of `quality`. Contains no rule."""
