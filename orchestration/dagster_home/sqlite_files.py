"""Makes writes to Dagster's SQLite files cheaper. Does not read their content.

Dagster connects anew for each statement about runs and schedules; the log of events keeps its connections
(`event_log.py`). Two defaults of SQLite make that expensive: each write waits for the disk, and the last connection
that closes copies the write-ahead log into the file and deletes the log.
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
    """Tune every SQLite file that SQLAlchemy opens in this process from now on. A second call changes nothing.

    With a write-ahead log, a commit survives the end of the process without waiting for the disk. After a power cut the
    last events of a run's log may be missing. The warehouse is not affected: it is DuckDB's, which waits for the disk.
    """
    from sqlalchemy import Engine, event

    if not event.contains(Engine, "connect", _tune):
        event.listen(Engine, "connect", _tune)


def _tune(connection: Any, _: Any) -> None:
    if not isinstance(connection, sqlite3.Connection):
        return
    if connection.execute("pragma journal_mode").fetchone() != ("wal",):
        return  # without the log, a commit that does not wait for the disk could damage the file
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
