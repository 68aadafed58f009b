"""The only package that knows dbt's internals: its project, manifest and runner, and the state of the last build."""
