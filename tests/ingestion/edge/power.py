"""Simulates a power cut: records calls of `os`, tracks what is durable, and builds the disk as a reboot finds it.

It assumes no more than POSIX requires of journaling file systems: a file's bytes are durable after its `fsync`, the
names in a folder after the folder's `fsync`. A rename is atomic, so either folder's `fsync` makes both ends durable.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# What becomes of bytes and names that were not made durable:
NOTHING_LEFT = "nothing left"  # none of them reached the disk
NAMES_AND_ZEROS = "names and zeros"  # all names did; the bytes are blocks that were never written
NAMES_AND_HALVES = "names and halves"  # all names did, and half of every file's new bytes
REMNANTS = (NOTHING_LEFT, NAMES_AND_ZEROS, NAMES_AND_HALVES)


@dataclass(frozen=True)
class Disk:
    """The content of a folder: relative path → bytes, or None for a folder."""

    files: dict[str, bytes | None]

    def build(self, folder: Path) -> None:
        for path, content in sorted(self.files.items()):
            if content is None:
                (folder / path).mkdir(parents=True, exist_ok=True)
            elif (folder / path).parent.is_dir():
                (folder / path).write_bytes(content)


@dataclass
class PowerWatch:
    """Tracks one folder. `after_call` is called with this object after every call that changed something."""

    root: Path
    after_call: Callable[[PowerWatch], None]
    names: dict[str, int | None] = field(default_factory=dict)  # durable: relative path → inode, None for a folder
    content: dict[int, bytes] = field(default_factory=dict)  # durable: inode → bytes
    renames: list[tuple[str, str]] = field(default_factory=list)  # between folders, not yet durable
    held: list[int] = field(default_factory=list)  # open files, so that no inode number is reused

    def start(self) -> None:
        """Treat the present content as durable."""
        for path in [self.root, *self.root.rglob("*")]:
            self._hold(path)
            if path.is_file():
                self.content[path.stat().st_ino] = path.read_bytes()
        self.names = self._listing()

    def remnant(self, kind: str) -> Disk:
        """The disk as a reboot finds it after a power cut now."""
        if kind == NOTHING_LEFT:
            found = {
                path: None if inode is None else self.content.get(inode, b"") for path, inode in self.names.items()
            }
            # Below a folder that is not durable, nothing is.
            return Disk({path: what for path, what in found.items() if self._has_parents(path, found)})
        files: dict[str, bytes | None] = {}
        for path, inode in self._listing().items():
            if inode is None:
                files[path] = None
                continue
            cached, durable = (self.root / path).read_bytes(), self.content.get(inode, b"")
            if not cached.startswith(durable):  # the file was shortened since
                files[path] = durable
            elif kind == NAMES_AND_ZEROS:
                files[path] = durable.ljust(len(cached), b"\0")
            else:
                files[path] = cached[: (len(durable) + len(cached) + 1) // 2]
        return Disk(files)

    def now(self) -> Disk:
        """The disk as the running machine sees it."""
        return Disk(
            {
                path: None if inode is None else (self.root / path).read_bytes()
                for path, inode in self._listing().items()
            }
        )

    def synced(self, descriptor: int) -> None:
        status = os.fstat(descriptor)
        path = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        if stat.S_ISREG(status.st_mode):
            self.content[status.st_ino] = path.read_bytes()
            return
        folder = str(path.relative_to(self.root)) if path != self.root else ""
        self._sync_names(folder)
        for old, new in list(self.renames):
            if folder in (_parent(old), _parent(new)):
                self.renames.remove((old, new))
                self.names.pop(old, None)
                self.names |= {path: inode for path, inode in self._listing().items() if path == new}

    def renamed(self, old: Path, new: Path) -> None:
        if old.parent != new.parent:
            self.renames.append((str(old.relative_to(self.root)), str(new.relative_to(self.root))))

    def _sync_names(self, folder: str) -> None:
        kept = {path: inode for path, inode in self.names.items() if _parent(path) != folder}
        self.names = kept | {path: inode for path, inode in self._listing().items() if _parent(path) == folder}

    def _listing(self) -> dict[str, int | None]:
        return {
            str(path.relative_to(self.root)): path.stat().st_ino if path.is_file() else None
            for path in self.root.rglob("*")
        }

    def _has_parents(self, path: str, found: dict[str, bytes | None]) -> bool:
        parent = _parent(path)
        return not parent or (parent in found and self._has_parents(parent, found))

    def _hold(self, path: Path) -> None:
        self.held.append(_open(path, os.O_RDONLY))


_open = os.open


def _parent(path: str) -> str:
    return path.rpartition("/")[0]


@contextmanager
def watched(watch: PowerWatch) -> Iterator[None]:
    """Track every call until the end of the block.

    `fsync` is recorded and not executed, because it only costs time here.
    """
    calls = {
        name: getattr(os, name)
        for name in ("open", "write", "fsync", "rename", "replace", "unlink", "mkdir", "ftruncate")
    }

    def follow(name: str) -> Callable[..., Any]:
        def followed(*arguments: Any, **options: Any) -> Any:
            result = None if name == "fsync" else calls[name](*arguments, **options)
            if name == "fsync":
                watch.synced(arguments[0])
            elif name in ("rename", "replace"):
                watch.renamed(Path(arguments[0]), Path(arguments[1]))
            elif name == "open":
                watch._hold(Path(arguments[0]))  # by a separate descriptor: a duplicated one would keep its lock
            watch.after_call(watch)
            return result

        return followed

    watch.start()
    for name in calls:
        setattr(os, name, follow(name))
    try:
        yield
    finally:
        for name, call in calls.items():
            setattr(os, name, call)
        for descriptor in watch.held:
            os.close(descriptor)
