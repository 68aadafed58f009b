"""The operations by which the spool changes a disk. Each is durable when it returns. None knows what the files mean.

A file's bytes survive a power cut after `fsync` of the file, and its name after `fsync` of the folder. A rename is
assumed to be atomic, also between two folders of one file system, as on every journaling file system.
This module calls functions as `os.name(…)` only: the tests kill the process at each of them.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

BLOCK_BYTES = 4096  # the unit in which a file system allots space


def on_disk(size: int) -> int:
    """The space in bytes that a file of `size` bytes takes on the disk."""
    return -(-size // BLOCK_BYTES) * BLOCK_BYTES


def size_of(path: str | Path) -> int:
    """The size of a file in bytes; 0 if it was renamed or removed after it was listed."""
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return 0


def write_all(descriptor: int, content: bytes) -> None:
    """Write every byte. A short write is no error: the rest is written next."""
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable, after files in it were created, renamed or removed."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_file(path: Path) -> None:
    """Make a file's bytes durable, also those that another process wrote."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Make a folder and its parents. Every new name is durable."""
    if folder.is_dir():
        # The process that made it may have been killed before the name was durable. One level is enough: a folder is
        # made only in a durable one. Another user made a folder that this process may not read.
        with suppress(PermissionError):
            sync_folder(folder.parent)
        return
    make_folder(folder.parent)
    with suppress(FileExistsError):
        os.mkdir(folder)
    sync_folder(folder.parent)


def replace_file(path: Path, pieces: Iterable[bytes], *, durable: bool = True) -> None:
    """Replace a file's content atomically. On failure the old content stays, and no partial file is left.

    A kill leaves the partial file under a name that readers ignore and the next attempt reuses.
    """
    unfinished = path.with_name(f".{path.name}.part")
    try:
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        try:
            for piece in pieces:
                write_all(descriptor, piece)
            if durable:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(unfinished, path)
    except OSError:
        with suppress(OSError):
            os.unlink(unfinished)
        raise
    if durable:
        sync_folder(path.parent)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Wait for a file's lock and hold it. The kernel releases it when the process ends, however it ends."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)  # a forked child has a copy of the descriptor, which would keep the lock
        os.close(descriptor)


def try_lock(path: Path) -> int | None:
    """A descriptor that holds the file's lock until it is closed; None if another process holds the lock."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor
