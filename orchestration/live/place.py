"""The lock that shows that a watcher of the bucket lives. The system frees it when the watcher ends, in any way."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ingestion.settings import Settings
from orchestration.locks import is_held


@contextmanager
def watching(settings: Settings) -> Iterator[None]:
    """Hold the lock. Dagster's sensor and schedule start no batches meanwhile."""
    with open(_path(settings), "w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def is_watched(settings: Settings) -> bool:
    """Whether a watcher of this plant's bucket lives on this machine."""
    try:
        return is_held(_path(settings))
    except FileNotFoundError:
        return False


def _path(settings: Settings) -> Path:
    return settings.dagster_home / "watcher.lock"
