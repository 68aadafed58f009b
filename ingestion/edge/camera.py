"""One camera's folder of the spool: the object being written, the sealed ones before it, and what a crash left.

The open object is the JSON Lines file that will be uploaded. An append is a write and an fsync; sealing is an fsync
and one rename in the same folder. So there is no moment in which an event is in two objects or in none, and no second
file that would have to agree with the first. A crash can only leave a torn end behind: bytes of records that were
never acknowledged. The next append or the sealing sets it aside below `torn/` and says so in the log.

Every method but `objects` is called with the spool's lock held; errors of the disk are OSError.
"""

from __future__ import annotations

import logging
import os
import secrets
import zlib
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from ingestion.edge import disk
from ingestion.edge.names import OPEN, ObjectName, Stream, next_name, parse_name

COUNTER = "sequence"  # the file with the name of the newest object; it outlives the objects

_log = logging.getLogger("floorhouse.edge")


def split_torn(content: bytes) -> tuple[list[bytes], bytes]:
    """The whole lines of an open object, each with its line end, and what a power cut left of others.

    A line is whole when it ends and holds no zero byte: JSON text has none, a block that was allocated but never
    written is full of them.
    """
    *ended, rest = content.split(b"\n")
    whole = [line + b"\n" for line in ended if b"\0" not in line]
    return whole, b"".join(line + b"\n" for line in ended if b"\0" in line) + rest


class Camera:
    """The objects of one camera on disk."""

    def __init__(self, folder: Path, torn_folder: Path, stream: Stream) -> None:
        self.folder = folder
        self.torn_folder = torn_folder
        self.stream = stream
        # The open object as this process left it: name, bytes, events. Another process may have gone on since.
        self._known: tuple[ObjectName, int, int] | None = None

    def objects(self) -> list[ObjectName]:
        """Every object in the folder, the oldest first."""
        try:
            names = os.listdir(self.folder)
        except FileNotFoundError:
            return []
        return sorted(found for name in names if (found := parse_name(name)) is not None)

    def path(self, name: ObjectName) -> Path:
        """Where an object of this camera lies."""
        return self.folder / name.in_spool

    def open_size(self) -> tuple[int, int]:
        """Bytes and events of the object being written; (0, 0) where there is none. A torn end is set aside."""
        if self._known is not None:
            try:
                if os.stat(self.path(self._known[0])).st_size == self._known[1]:
                    return self._known[1:]
            except FileNotFoundError:  # sealed by another process
                self._known = None
        opened = [name for name in self.objects() if name.ending == OPEN]
        if not opened:
            return 0, 0
        lines = self._whole_lines(opened[-1])
        self._known = (opened[-1], sum(map(len, lines)), len(lines))
        return self._known[1:]

    def append(self, lines: list[bytes], now: datetime) -> None:
        """Write whole lines to the open object, durably; on failure none of them stays."""
        size, events = self.open_size()
        name = self._known[0] if self._known else self._begin(now)
        content = b"".join(lines)
        self._known = None
        descriptor = os.open(self.path(name), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        try:
            if size == 0:
                disk.sync_folder(self.folder)  # its name, before anything in it is acknowledged
            try:
                disk.write_all(descriptor, content)
                os.fsync(descriptor)
            except BaseException:
                with suppress(OSError):
                    os.ftruncate(descriptor, size)
                raise
        finally:
            os.close(descriptor)
        self._known = (name, size + len(content), events + len(lines))

    def seal(self) -> int:
        """Complete the open object, so that it never changes again; gives the number sealed.

        The new name is made durable by whoever uploads it, or with the next object's.
        """
        self._known = None
        sealed = 0
        for name in self.objects():
            if name.ending != OPEN:
                continue
            events = len(self._whole_lines(name))
            if events == 0:
                os.unlink(self.path(name))
                continue
            # A killed writer's last lines may be whole but not yet on the disk. Uploaded, then lost in a power cut,
            # they would give this key another content at the next attempt.
            disk.sync_file(self.path(name))
            os.rename(self.path(name), self.path(name.sealed(events)))
            sealed += 1
        return sealed

    def take(self, file: Path, ending: str, now: datetime) -> ObjectName:
        """Make a file that a camera wrote whole the newest object, by one rename."""
        disk.sync_file(file)  # its writer may not have
        self.seal()
        begun = self._begin(now)
        name = ObjectName(begun.date, begun.epoch, begun.number, ending)
        os.rename(file, self.path(name))
        disk.sync_folder(self.folder)
        disk.sync_folder(file.parent)
        return name

    def _begin(self, now: datetime) -> ObjectName:
        """The next object's name, counted durably before anything can have it."""
        disk.make_folder(self.folder)
        seen = self.objects()
        name = next_name(self._counted(), seen[-1] if seen else None, now, secrets.token_hex(3))
        disk.replace_file(self.folder / COUNTER, [name.in_spool.encode()])
        return name

    def _counted(self) -> ObjectName | None:
        try:
            return parse_name((self.folder / COUNTER).read_text("ascii", errors="replace").strip())
        except FileNotFoundError:
            return None

    def _whole_lines(self, name: ObjectName) -> list[bytes]:
        """The open object's lines, after what is torn was set aside."""
        path = self.path(name)
        content = path.read_bytes()
        whole, torn = split_torn(content)
        if torn:
            aside = self.torn_folder / f"{name.sequence}.{zlib.crc32(torn):08x}.torn"
            disk.make_folder(self.torn_folder)
            disk.replace_file(aside, [torn])
            disk.replace_file(path, whole)
            _log.warning(
                "%s ended in a torn record that was never acknowledged: %d bytes set aside in %s, %d whole ones kept",
                *(path, len(torn), aside, len(whole)),
            )
        return whole
