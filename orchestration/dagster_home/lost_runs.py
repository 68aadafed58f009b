"""Finds runs whose process has ended, by the lock that each run holds while it lives, and reports them as failed.

Without this a killed batch would stay "started" in Dagster for ever, and keep the pool that the next batch waits for.
The warehouse itself needs no repair: its lock and its transactions end with the process.
"""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.locks import is_held

if TYPE_CHECKING:
    from dagster import DagsterInstance

_FOLDER = "running"
# Between Dagster's "started" and our lock a process imports and connects. Before this time it does not count as lost.
START_SECONDS = 300

_held: set[Path] = set()  # the locks of this process


@contextmanager
def mark_running(dagster_home: Path, run_id: str | None) -> Iterator[None]:
    """Hold the lock that shows that this run's process lives. The system releases it when the process ends, in any way.

    A second call in the same process does nothing: the process holds the lock already.
    """
    folder = dagster_home / _FOLDER
    path = folder / f"{run_id}.lock"
    if path in _held:
        yield
        return
    folder.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        _held.add(path)
        try:
            yield
        finally:
            _held.discard(path)
            path.unlink(missing_ok=True)


def is_lost(dagster_home: Path, run_id: str, seconds_since_start: float) -> bool:
    """Whether a run that is recorded as started no longer has a process."""
    try:
        return not is_held(dagster_home / _FOLDER / f"{run_id}.lock")
    except FileNotFoundError:
        return seconds_since_start > START_SECONDS


def end_lost_runs(instance: DagsterInstance, dagster_home: Path) -> list[str]:
    """Report every lost run as failed, and return their ids."""
    from dagster import DagsterRunStatus, RunsFilter

    ended = []
    records = instance.get_run_records(RunsFilter(statuses=[DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING]))
    for record in records:
        run = record.dagster_run
        started = record.start_time or record.create_timestamp.timestamp()
        if is_lost(dagster_home, run.run_id, time.time() - started):
            instance.report_run_failed(run, "Its process ended without a word; the next batch lands what it left.")
            (dagster_home / _FOLDER / f"{run.run_id}.lock").unlink(missing_ok=True)
            ended.append(run.run_id)
    return ended
