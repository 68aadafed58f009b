"""The one place that knows dbt's internals: its project, manifest and runner, and what the last build was made from."""
