"""Removes the records of runs that ended long ago, and frees their disk space.

Every run has its own event log, so a plant that runs a batch every few minutes would fill its disk. Dagster deletes
only rows: the files, and the free pages inside shared files, would stay.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dagster import DagsterInstance

# Runs are kept for at most so many days, and at most so many of them (privacy/inventory.py names both limits). A batch
# that lands something leaves 4 MB, so the records take at most 2 GB, however often batches start.
KEPT_DAYS = 90
KEPT_RUNS = 500
_AT_ONCE = 50
# A file is rewritten if at least this share of it, and at least this many bytes, are empty.
_EMPTY_SHARE, _LEAST_EMPTY_BYTES = 0.25, 1 << 20


def remove_old_runs(
    instance: DagsterInstance, home: Path, now: float, kept_runs: int = KEPT_RUNS, seconds: float = 10.0
) -> int:
    """Delete records of ended runs that are too old at `now` (seconds since 1970) or too many. Returns their number.

    Stops after some seconds of work; the next call continues.
    """
    until, removed = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        run_ids = _next_to_go(instance, now - KEPT_DAYS * 86_400, kept_runs)
        for run_id in run_ids:
            instance.delete_run(run_id)
            _remove_files(home, run_id)
        removed += len(run_ids)
        if not run_ids:
            break
    if removed:
        for path in (home / "history/runs.db", home / "history/runs/index.db", home / "schedules/schedules.db"):
            _give_room_back(path)
    return removed


def _next_to_go(instance: DagsterInstance, before: float, kept_runs: int) -> list[str]:
    """Some of the oldest ended runs that are no longer kept."""
    from dagster import DagsterRunStatus, RunsFilter

    ended = [DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED]
    too_old = RunsFilter(statuses=ended, created_before=datetime.fromtimestamp(before, UTC))
    records = instance.get_run_records(too_old, limit=_AT_ONCE, ascending=True)
    if not records:
        too_many = instance.get_runs_count(RunsFilter(statuses=ended)) - kept_runs
        if too_many > 0:
            records = instance.get_run_records(
                RunsFilter(statuses=ended), limit=min(too_many, _AT_ONCE), ascending=True
            )
    return [record.dagster_run.run_id for record in records]


def _remove_files(home: Path, run_id: str) -> None:
    for path in (home / "history/runs").glob(f"{run_id}.db*"):
        path.unlink(missing_ok=True)


def _give_room_back(path: Path) -> None:
    """Rewrite a file without its empty pages. A file that another process is writing is left for the next time."""
    if not path.exists():
        return
    with contextlib.suppress(sqlite3.Error), closing(sqlite3.connect(path, timeout=1)) as connection:
        empty, pages, size = (
            int(connection.execute(f"pragma {name}").fetchone()[0])
            for name in ("freelist_count", "page_count", "page_size")
        )
        if empty * size >= _LEAST_EMPTY_BYTES and empty >= _EMPTY_SHARE * pages:
            connection.execute("vacuum")
            connection.execute("pragma wal_checkpoint(truncate)")
