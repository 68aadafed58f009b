"""Removes a person from Dagster's own records: runs whose events name them, and all other rows of its databases.

Steps log counts and names of sites, never of people. But the text of an error that a library raised may hold a value.
"""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from ingestion.errors import WarehouseError
from ingestion.settings import Settings
from privacy.kept_files import People
from privacy.traces import Traces

# How long to wait for a daemon that writes at the same time. Its own transactions take milliseconds.
BUSY_SECONDS = 60.0


def forget_in_records(settings: Settings, traces: Traces | People) -> int:
    """Delete every row that names the person, or the people, and release its pages. Returns the number of rows deleted.

    Raises:
        WarehouseError: a database is in use for longer than a minute.
    """
    count = 0
    for path in sorted(settings.dagster_home.rglob("*.db")):
        try:
            count += _forget(path, traces)
        except sqlite3.Error as error:
            raise WarehouseError(
                f"Dagster's records in {path} cannot be searched: {error}; "
                "the erasure is finished by the next batch or by the same command."
            ) from error
    return count


def _forget(path: Path, traces: Traces | People) -> int:
    count = 0
    with contextlib.closing(sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)) as connection:
        connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
        tables = connection.execute("select name from sqlite_master where type = 'table'").fetchall()
        for (name,) in tables:
            table = '"' + name.replace('"', '""') + '"'
            theirs = [
                (row[0],)
                for row in connection.execute(f"select rowid, * from {table}")
                if traces.in_line("\n".join(value for value in row if isinstance(value, str)))
            ]
            connection.executemany(f"delete from {table} where rowid = ?", theirs)
            count += len(theirs)
        if count or traces.in_bytes(path.read_bytes()):
            connection.execute("vacuum")
            connection.execute("pragma wal_checkpoint(truncate)")
    return count
