"""Asks whether a process that holds a lock still lives. The system frees a lock with its process."""

from __future__ import annotations

import fcntl
from pathlib import Path


def is_held(path: Path) -> bool:
    """Whether a living process holds the lock of this file alone. Two that ask at once do not hinder each other.

    Raises:
        OSError: there is no such file, or it cannot be read.
    """
    with open(path, encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
