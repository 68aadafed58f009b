"""Which tables the warehouse has, by their columns. The catalogue says so: a table added tomorrow is found as well."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import duckdb

from ingestion.durable import put_in_place


class Table(NamedTuple):
    """A table's full name."""

    schema: str
    name: str


def quoted(table: Table) -> str:
    """The full name as SQL."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in table)


def tables_with(connection: duckdb.DuckDBPyConnection, *columns: str) -> list[Table]:
    """Every table, no views, that has all of these columns (any table where none is given)."""
    rows = connection.execute(
        """
        select schema_name, table_name
        from duckdb_columns()
        semi join duckdb_tables() using (database_name, schema_name, table_name)
        where database_name = current_database()
        group by schema_name, table_name
        having list_has_all(list(column_name), $columns::varchar[])
        order by schema_name, table_name
        """,
        {"columns": list(columns)},
    ).fetchall()
    return [Table(*row) for row in rows]


def rewrite_file(path: Path) -> None:
    """Write the database anew without its free blocks, where deleted rows may remain, and put it in place by a rename.

    No connection may be open, and the caller holds the warehouse's lock. Killed at any moment there is the old file or
    the new one, whole. DuckDB's own names for a write-ahead log and spilled data are removed with it.
    """
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    with duckdb.connect() as connection:
        # The name that views of the database call it by.
        connection.execute(f"attach {_text(path)} as {_name(path.stem)}")
        connection.execute(f"checkpoint {_name(path.stem)}")
        connection.execute(f"attach {_text(fresh)} as rewritten")
        connection.execute(f"copy from database {_name(path.stem)} to rewritten")
        connection.execute("checkpoint rewritten")
    _put_in_place(fresh, path)


def _put_in_place(fresh: Path, path: Path) -> None:
    """The one moment: before it the old file counts, after it the new one."""
    log = path.with_name(f"{path.name}.wal")
    if log.exists() and log.stat().st_size:
        raise OSError(f"{log} is not empty after a checkpoint")
    log.unlink(missing_ok=True)
    put_in_place(fresh, path)
    fresh.with_name(f"{fresh.name}.wal").unlink(missing_ok=True)


def _text(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
