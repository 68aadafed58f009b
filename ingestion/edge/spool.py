"""The durable spool: records and complete files of many cameras. What is acknowledged survives a power cut.

Any number of processes and threads may append while one uploader uploads sealed objects; they hold a file lock for
short moments. The spool seals objects by size and count, and the uploader by age. `room.py` limits the disk use, and
`camera.py` repairs a camera's folder after a crash.
"""

from __future__ import annotations

import errno
import logging
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from ingestion.edge import disk
from ingestion.edge.camera import Camera
from ingestion.edge.errors import RecordRefusedError, SpoolError, SpoolFullError
from ingestion.edge.names import ObjectName, Stream, why_not_an_identifier
from ingestion.edge.records import to_line
from ingestion.edge.room import Room
from ingestion.edge.settings import EdgeSettings

_log = logging.getLogger("floorhouse.edge")
WHOLE = "whole"  # the name of content on its way to be an object; a kill leaves it, and the next one replaces it
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


def utc_now() -> datetime:
    """The wall clock, for names and reports alone: orders and waiting times do not depend on it."""
    return datetime.now(UTC)


class Spool:
    """The spool of a folder. Any number of processes may have it open."""

    def __init__(self, settings: EdgeSettings, now: Callable[[], datetime] = utc_now) -> None:
        self.settings = settings
        self.folder = settings.spool_dir
        self.room = Room(self.folder, settings.spool_max_bytes, settings.when_full)
        self._now = now
        self._cameras: dict[Stream, Camera] = {}
        self._thread_lock = threading.RLock()
        with self._disk_errors("cannot be opened"):
            disk.make_folder(self.folder / "objects")

    def append(
        self, record: dict[str, object] | bytes, site_id: str | None = None, camera_id: str | None = None
    ) -> None:
        """Append one record, a JSON object or its bytes. The record is durable when this returns.

        `site_id` and `camera_id` name its camera; the settings name it otherwise. The record is not read for that.

        Raises:
            RecordRefusedError: the record cannot be one line; nothing was appended.
            SpoolFullError: no room; nothing was appended. Try again later.
            SpoolError: the disk failed; nothing was appended.
        """
        self.append_many([record], site_id, camera_id)

    def append_many(
        self,
        records: Sequence[dict[str, object] | bytes],
        site_id: str | None = None,
        camera_id: str | None = None,
    ) -> None:
        """Append records in order, with one fsync for each object that they fill.

        Raises: as `append`. `acknowledged` of a `SpoolError` is the number of the first records that are durable.
        """
        camera = self.camera(self._stream(site_id, camera_id))
        self.append_to(camera, [to_line(record, self.settings.object_max_bytes) for record in records])

    def append_to(self, camera: Camera, lines: list[bytes]) -> None:
        """Append lines as `to_line` makes them to a camera, in order, with one fsync for each object that they fill.

        Raises: as `append_many`.
        """
        done = 0
        try:
            while done < len(lines):
                with self._locked("cannot be written"):
                    done += self._append_some(camera, lines[done : done + self.settings.object_max_events])
        except SpoolError as error:
            error.acknowledged = done
            raise

    def camera(self, stream: Stream) -> Camera:
        """A camera's folder. The disk gets it with the first object."""
        with self._thread_lock:
            if stream not in self._cameras:
                folder, torn = self.folder / "objects" / stream.folder, self.folder / "torn" / stream.folder
                self._cameras[stream] = Camera(folder, torn, stream)
            return self._cameras[stream]

    def cameras(self) -> list[Camera]:
        """Every camera that has a folder in the spool, sorted."""
        objects = self.folder / "objects"
        found = [*objects.glob("site_id=*/camera_id=*"), *objects.glob("site_id=*/camera_id=*/source=*")]
        return [self.camera(Stream.of_folder(path.relative_to(objects).as_posix())) for path in sorted(found)]

    def seal(self, camera: Camera) -> int:
        """Seal a camera's open object and return the number of sealed objects."""
        with self._locked("cannot be sealed"):
            return camera.seal()

    def take(self, file: Path, ending: str, stream: Stream) -> str:
        """Make a complete file the newest object of a camera, by a rename, and return its key in the bucket.

        Raises:
            SpoolFullError: no room; the file stays where it is.
            SpoolError: the disk failed; the file is still there, or it is in the spool.
        """
        with self._locked(f"cannot take {file}"):
            self.room.take(disk.on_disk(os.stat(file).st_size), self.cameras, self._now())
            return self.camera(stream).take(file, ending, self._now()).key(stream)

    def put(self, content: bytes, ending: str, stream: Stream) -> None:
        """Make bytes that cannot be lines an object of their own, durably, the newest of its camera.

        Raises:
            SpoolFullError: no room; nothing was taken.
            SpoolError: the disk failed; the content may be in the spool all the same.
        """
        with self._locked("cannot be written"):
            self.room.take(disk.on_disk(len(content)), self.cameras, self._now())
            camera = self.camera(stream)
            disk.make_folder(camera.folder)
            unfinished = camera.folder / f"{WHOLE}{ending}"
            try:
                disk.replace_file(unfinished, [content], durable=False)
                camera.take(unfinished, ending, self._now())
            except OSError:
                self.room.forget()
                with suppress(OSError):
                    os.unlink(unfinished)
                raise

    def remove(self, camera: Camera, name: ObjectName) -> None:
        """Remove an uploaded object, without fsync. If a power cut undoes the removal, the same content is uploaded
        again under the same key, and landing recognises it.
        """
        with self._disk_errors("cannot be written"):
            camera.path(name).unlink(missing_ok=True)

    def _stream(self, site_id: str | None, camera_id: str | None) -> Stream:
        for name, value in (("site_id", site_id), ("camera_id", camera_id)):
            if value is not None and (why := why_not_an_identifier(value)):
                raise RecordRefusedError(f"{name} is {value!r}; {why}.")
        default = self.settings.stream
        return Stream((site_id or default.site_id).strip(" "), (camera_id or default.camera_id).strip(" "))

    def _append_some(self, camera: Camera, lines: list[bytes]) -> int:
        """Append the lines that fit into the open object, at least one, and return how many. Seals a full object."""
        max_bytes, max_events = self.settings.object_max_bytes, self.settings.object_max_events
        size, events = camera.open_size()
        if size and (size + len(lines[0]) > max_bytes or events >= max_events):
            camera.seal()
            size = events = 0
        if size == 0:
            self.room.forget()
        count = added = 0
        for line in lines[: max_events - events]:
            if count and size + added + len(line) > max_bytes:
                break
            count, added = count + 1, added + len(line)
        self.room.take(disk.on_disk(size + added) - disk.on_disk(size), self.cameras, self._now())
        camera.append(lines[:count], self._now())
        if size + added >= max_bytes or events + count >= max_events:
            try:
                camera.seal()
            except OSError as error:  # the records are durable; the next append or the uploader seals
                _log.warning("an object of %s cannot be sealed yet: %s", camera.folder, error)
        return count

    @contextmanager
    def _locked(self, what: str) -> Iterator[None]:
        """Hold the spool's lock. An error of the disk becomes a `SpoolError` that says what failed."""
        with self._thread_lock, self._disk_errors(what), disk.locked(self.folder / "spool.lock"):
            yield

    @contextmanager
    def _disk_errors(self, what: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno in _NO_ROOM:
                raise SpoolFullError(f"The disk of the spool {self.folder} is full.") from error
            raise SpoolError(f"The spool {self.folder} {what}: {error.strerror or error}.") from error
