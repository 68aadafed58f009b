"""A second, naive reading of the data contract in plain Python, with which the tests compare the project.

It shares no line with `ingestion` or `dbt_project` and must not import them: two independent readings that agree prove
more than one that is tested against itself. Clarity comes before speed. DuckDB is used for two things only: local times
(its time zone data is the contract's authority) and `quantile_cont`.
"""
