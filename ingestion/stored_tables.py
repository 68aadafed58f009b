"""Finds the warehouse's tables by their columns, from the catalogue, so that tables added later are found as well."""

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
    """Every table (no views) that has all of these columns; every table if none are given."""
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
    """Rewrite the database without its free blocks, where deleted rows may remain, and replace the file by a rename.

    No connection may be open, and the caller holds the warehouse's lock. After a kill at any moment the old or the new
    file is complete. DuckDB's write-ahead log and spill files are removed too.
    """
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    with duckdb.connect() as connection:
        # Views of the database refer to it by this name.
        connection.execute(f"attach {literal(path)} as {_name(path.stem)}")
        connection.execute(f"checkpoint {_name(path.stem)}")
        connection.execute(f"attach {literal(fresh)} as rewritten")
        connection.execute(f"copy from database {_name(path.stem)} to rewritten")
        connection.execute("checkpoint rewritten")
    _put_in_place(fresh, path)


def _put_in_place(fresh: Path, path: Path) -> None:
    """Replace the old file atomically by the new one."""
    log = path.with_name(f"{path.name}.wal")
    if log.exists() and log.stat().st_size:
        raise OSError(f"{log} is not empty after a checkpoint")
    log.unlink(missing_ok=True)
    put_in_place(fresh, path)
    fresh.with_name(f"{fresh.name}.wal").unlink(missing_ok=True)


def literal(text: str | Path) -> str:
    """A text or a path as SQL, whatever stands in it."""
    return "'" + str(text).replace("'", "''") + "'"


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
