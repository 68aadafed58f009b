"""A lock that lets one daemon at a time serve a data folder: two would start runs twice. The system frees the lock."""

from __future__ import annotations

import fcntl
import os
import time

from ingestion.errors import FloorhouseError, WarehouseError
from ingestion.settings import Settings

# A daemon whose parent was killed ends by itself shortly after. The next daemon waits for that.
WAIT_SECONDS = 15.0


class DaemonPlaceTakenError(FloorhouseError):
    """Another daemon serves the data folder."""


def take_daemon_place(settings: Settings, wait_seconds: float = WAIT_SECONDS) -> int:
    """Take the lock and return the descriptor that holds it, for this process and processes that inherit it.

    Raises:
        DaemonPlaceTakenError: another daemon held it for all of `wait_seconds`.
        WarehouseError: the data folder cannot be written.
    """
    path = settings.dagster_home / "daemon.lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise WarehouseError(f"The data folder {settings.data_dir} cannot be written: {error.strerror}.") from error
    until = time.monotonic() + wait_seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() < until:
                time.sleep(0.2)
                continue
            holder = os.pread(descriptor, 20, 0).decode(errors="replace") or "unknown"
            os.close(descriptor)
            raise DaemonPlaceTakenError(
                f"Another Dagster daemon (process {holder}) serves the data folder {settings.data_dir}; "
                "end it first, or use its pages."
            ) from None
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        return descriptor
