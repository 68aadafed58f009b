"""A second, naive reading of the data contract in plain Python, which the tests compare the project with.

It shares no line with `ingestion` or `dbt_project` and must not import them: two readings that agree are worth
more than one that is tested against itself. Clarity comes before speed. DuckDB is asked for two things only: what
a clock on a wall shows (its time-zone data is the contract's authority) and `quantile_cont`.
"""
