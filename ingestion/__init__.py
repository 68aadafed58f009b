"""From the landing bucket to the warehouse's raw tables. Nothing in this package imports Dagster."""
