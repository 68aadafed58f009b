"""Stored sentences that may name a worker: results and incidents of some checks, and refusals of workers.csv."""

from __future__ import annotations

import duckdb

from ingestion.stored_tables import Table, quoted, tables_with

# Metrics whose sentences may name a worker: invalid registry rows, and ids that look alike. In the sentences of others
# a short id would match a plain number.
NAMING_METRICS = ("look_alike_ids", "registry_workers")


def tables_that_may_name(connection: duckdb.DuckDBPyConnection) -> list[tuple[Table, str]]:
    """The tables with such sentences, each with the condition on its rows that may name somebody."""
    metrics = ", ".join(f"'{metric}'" for metric in NAMING_METRICS)
    found = [(table, f"metric in ({metrics})") for table in tables_with(connection, "sentence", "metric", "site_id")]
    refusals = [table for table in tables_with(connection, "sentence", "file") if table.name == "registry_refusals"]
    return [*found, *((table, "file = 'workers.csv'") for table in refusals)]


def delete_sentences(connection: duckdb.DuckDBPyConnection) -> None:
    """Delete all of them. The next batch evaluates them again, with the ids of then."""
    for table, may_name in tables_that_may_name(connection):
        connection.execute(f"delete from {quoted(table)} where {may_name}")
