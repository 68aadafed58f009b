"""Whether the numbers can be believed: suites, the frames they judge, the results. Knows no Dagster."""
