"""Copies of the warehouse for comparisons. The next batch removes a copy that a killed comparison left.

A running comparison holds a lock in its folder. The system releases the lock when the process ends.
"""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import duckdb

from ingestion.errors import WarehouseError
from ingestion.settings import Settings
from ingestion.warehouse import warehouse_lock, whole_file
from orchestration.locks import is_held

PREFIX = "verify-"
_LOCK = "living.lock"


@contextmanager
def copied_warehouse(settings: Settings, log: Callable[[str], None]) -> Iterator[Settings]:
    """A separate plant with a copy of the warehouse, removed afterwards. Batches wait only while the file is copied.

    Raises:
        WarehouseError: there is no warehouse yet, or no room for a copy of it.
    """
    if not settings.warehouse_path.exists():
        raise WarehouseError(f"There is no warehouse in {settings.data_dir} yet; run a batch first.")
    with warehouse_lock(settings, log=log):
        remove_dead_copies(settings, log)
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=settings.data_dir))
        copy = settings.model_copy(update={"data_dir": folder})
        living = open(folder / _LOCK, "w", encoding="utf-8")  # noqa: SIM115  # held for the whole comparison
        fcntl.flock(living, fcntl.LOCK_EX)
        try:
            shutil.copyfile(whole_file(settings), copy.warehouse_path)
        except (OSError, duckdb.Error) as error:
            _remove(folder, living)
            raise WarehouseError(
                f"The warehouse cannot be copied to {folder}: {' '.join(str(error).split())}"
            ) from error
    try:
        yield copy
    finally:
        _remove(folder, living)


def remove_dead_copies(settings: Settings, log: Callable[[str], None]) -> None:
    """Remove the copies whose comparison has ended. The caller holds the warehouse's lock."""
    for folder in settings.data_dir.glob(f"{PREFIX}*"):
        if not _is_living(folder):
            shutil.rmtree(folder, ignore_errors=True)
            log(f"{folder}, which a comparison that was killed left, is removed")


def _remove(folder: Path, living: TextIO) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    living.close()


def _is_living(folder: Path) -> bool:
    try:
        return is_held(folder / _LOCK)
    except OSError:
        return False
