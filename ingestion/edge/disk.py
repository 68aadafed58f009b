"""The few ways the spool changes a disk, each durable when it returns. What the files mean is not known here.

A file's bytes survive a power cut after `fsync` of the file; its name, after `fsync` of the folder. A rename is taken
to be atomic, also between two folders of one file system, as every journaling file system has it.
Only functions of `os` are called, by their names in that module: the tests kill the process at each of them.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

BLOCK_BYTES = 4096  # what a file system gives to a file at least, and in whole ones


def on_disk(size: int) -> int:
    """The bytes of the disk that a file of so many bytes uses."""
    return -(-size // BLOCK_BYTES) * BLOCK_BYTES


def size_of(path: str | Path) -> int:
    """The bytes of a file, 0 where it was renamed or removed since it was listed."""
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return 0


def write_all(descriptor: int, content: bytes) -> None:
    """Write every byte; a short write is not an error of the disk."""
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable: what was created, renamed or removed in it."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_file(path: Path) -> None:
    """Make a file's bytes durable, whoever wrote them."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, every new name durable."""
    if folder.is_dir():
        # Whoever made it may have been killed before its name was durable. One level is enough: it would not have
        # made a folder in one that was not. What may not be read was made by someone else.
        with suppress(PermissionError):
            sync_folder(folder.parent)
        return
    make_folder(folder.parent)
    with suppress(FileExistsError):
        os.mkdir(folder)
    sync_folder(folder.parent)


def replace_file(path: Path, pieces: Iterable[bytes], *, durable: bool = True) -> None:
    """Give a file new content, all of it or none; on failure the old content stays and no half file is left.

    A kill leaves the half file, under a name that is ignored and that the next attempt takes again.
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
    """Hold a file's lock, waiting for it. The kernel lets go of it when the process ends, however it ends."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)  # a child that was forked meanwhile has a copy, which would hold on
        os.close(descriptor)


def try_lock(path: Path) -> int | None:
    """A descriptor that holds the file's lock until it is closed, or None where someone else holds it."""
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
