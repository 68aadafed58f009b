"""One camera's folder of the spool: the open object, the sealed objects before it, and what a crash left.

The open object is the JSON Lines file that will be uploaded. An append is a write and an fsync; sealing is an fsync
and one rename in the same folder. So an event is at every moment in exactly one object, and no second file has to agree
with the first. A crash can leave only a torn end: bytes of records that were never acknowledged. The next append or
sealing moves it below `torn/` and logs that.

The caller holds the spool's lock for every method but `objects`. Errors of the disk are OSError.
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

COUNTER = "sequence"  # the file with the name of the newest object; it stays when the objects are gone

_log = logging.getLogger("floorhouse.edge")


def split_torn(content: bytes) -> tuple[list[bytes], bytes]:
    """The complete lines of an open object, each with its line end, and the remains of torn lines.

    A line is complete if it has a line end and no zero byte. JSON text has no zero bytes; a block that the disk
    allocated and never wrote consists of them.
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
        """Every object in the folder, oldest first."""
        try:
            names = os.listdir(self.folder)
        except FileNotFoundError:
            return []
        return sorted(found for name in names if (found := parse_name(name)) is not None)

    def path(self, name: ObjectName) -> Path:
        """The path of an object of this camera."""
        return self.folder / name.in_spool

    def open_size(self) -> tuple[int, int]:
        """Bytes and events of the open object; (0, 0) if there is none. A torn end is moved away first."""
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
        """Append complete lines to the open object, durably. On failure none of them stays."""
        size, events = self.open_size()
        name = self._known[0] if self._known else self._begin(now)
        content = b"".join(lines)
        self._known = None
        descriptor = os.open(self.path(name), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        try:
            if size == 0:
                disk.sync_folder(self.folder)  # the name is durable before a record is acknowledged
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
        """Complete the open object: it never changes again. Returns the number of sealed objects.

        The new name becomes durable before the upload, or with the next object's name.
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
            # The last lines of a killed writer may be complete but not on the disk yet. If they were uploaded and then
            # lost in a power cut, the next attempt would upload another content under this key.
            disk.sync_file(self.path(name))
            os.rename(self.path(name), self.path(name.sealed(events)))
            sealed += 1
        return sealed

    def take(self, file: Path, ending: str, now: datetime) -> ObjectName:
        """Make a complete file of a camera the newest object, by one rename."""
        disk.sync_file(file)  # the writer may not have done so
        self.seal()
        begun = self._begin(now)
        name = ObjectName(begun.date, begun.epoch, begun.number, ending)
        os.rename(file, self.path(name))
        disk.sync_folder(self.folder)
        disk.sync_folder(file.parent)
        return name

    def _begin(self, now: datetime) -> ObjectName:
        """The next object's name. The counter is durable before a file has the name."""
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
        """The open object's complete lines. Torn ones are moved away."""
        path = self.path(name)
        content = path.read_bytes()
        whole, torn = split_torn(content)
        if torn:
            aside = self.torn_folder / f"{name.sequence}.{zlib.crc32(torn):08x}.torn"
            disk.make_folder(self.torn_folder)
            disk.replace_file(aside, [torn])
            disk.replace_file(path, whole)
            _log.warning(
                "%s ended in a torn record that was never acknowledged: %d bytes moved to %s, %d complete lines stay",
                *(path, len(torn), aside, len(whole)),
            )
        return whole
