"""Dagster's SQLite files, written at the price of their bytes. What stands in them is Dagster's own matter.

Dagster connects anew for each of a batch's thousands of statements. Two habits of SQLite make that expensive: a write
waits for the disk each time, and the connection that is closed last folds the write-ahead log into the file and
deletes it. A third of a small batch went there.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections import OrderedDict
from typing import Any

# A process writes its run's file, the index of all runs, the runs themselves and the schedules.
_HELD = 6
_held: OrderedDict[str, sqlite3.Connection] = OrderedDict()


def tune_sqlite() -> None:
    """From now on, for every SQLite file that SQLAlchemy opens in this process. Asking again changes nothing.

    In a write-ahead log a commit survives the end of the process without waiting for the disk; after a power cut the
    last events of a run's log may be missing, which says nothing about the warehouse (that is DuckDB's, and waits).
    """
    from sqlalchemy import Engine, event

    if not event.contains(Engine, "connect", _tune):
        event.listen(Engine, "connect", _tune)


def _tune(connection: Any, _: Any) -> None:
    if not isinstance(connection, sqlite3.Connection):
        return
    if connection.execute("pragma journal_mode").fetchone() != ("wal",):
        return  # without the log, not to wait for the disk could cost the file
    connection.execute("pragma synchronous = normal")
    path = connection.execute("pragma database_list").fetchone()[2]
    if path in _held:
        _held.move_to_end(path)
        return
    with contextlib.suppress(sqlite3.Error):
        _held[path] = sqlite3.connect(path, check_same_thread=False)
        _held[path].execute("select count(*) from sqlite_schema").fetchone()  # SQLite opens the log at the first read
    while len(_held) > _HELD:
        _held.popitem(last=False)[1].close()
