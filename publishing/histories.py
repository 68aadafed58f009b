"""Which tables of the warehouse keep history, and which column dates their rows, as each model declares it.

A model that a batch computes only in part declares its `scope` and `day` in its `meta`, marts among them. Each build
writes these declarations into the warehouse (build.histories), where retention reads them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import duckdb

from ingestion.stored_tables import Table


class History(NamedTuple):
    """One table and the column that dates its rows, a date or an instant."""

    table: Table
    day: str


def write_histories(connection: duckdb.DuckDBPyConnection, histories: Iterable[History]) -> None:
    """Replace the declarations that the warehouse holds."""
    connection.execute("create schema if not exists build")
    connection.execute("create or replace table build.histories (schema_name varchar, table_name varchar, day varchar)")
    for table, day in histories:
        connection.execute("insert into build.histories values (?, ?, ?)", [*table, day])


def read_histories(connection: duckdb.DuckDBPyConnection) -> dict[Table, str]:
    """The day column of each declared table that the warehouse has, in alphabetical order of the tables."""
    rows = connection.execute(
        """
        select schema_name, table_name, day
        from build.histories
        semi join (from duckdb_tables() where database_name = current_database()) using (schema_name, table_name)
        order by schema_name, table_name
        """
    ).fetchall()
    return {Table(schema, name): day for schema, name, day in rows}
