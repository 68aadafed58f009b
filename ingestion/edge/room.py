"""The bounded disk use of a spool, and what goes first when the limit is reached (`when_full`):

- `refuse`, the default: nothing goes. A new record is refused (`SpoolFullError`), a new file stays in the inbox, until
  the uploader has made room. An acknowledgement is a promise, and a plant plans on it: what was taken lands. The loss,
  if there is one, is at the newest end, in one piece, and at once known to the camera, which can hold, retry or turn
  on a lamp. Dropping instead would take away, silently and days later, what somebody was told is safe.
- `drop_oldest`, for cameras that cannot hear a "no": the oldest sealed, not yet uploaded object goes, then the next,
  the oldest of a camera always before its younger ones, never the one being written. Counted before it is removed and
  reported as dropped in every status. To be chosen where today's floor matters more than last week's.

The limit counts objects and torn ends in whole blocks, as the disk does: by the bytes of their content alone, a slow
camera's small objects would fill a disk of ten times the limit. The inbox belongs to those who write there. Each
process counts its own appends exactly and the others' when it opens an object or meets the limit: several that append
at once may pass the limit by one open object each. Everything here happens with the spool's lock held.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from ingestion.edge import disk
from ingestion.edge.camera import COUNTER, Camera
from ingestion.edge.errors import SpoolFullError
from ingestion.edge.ledger import instant, read_json
from ingestion.edge.names import OPEN, ObjectName
from ingestion.edge.settings import DROP_OLDEST

DROPPED = "dropped.json"

_log = logging.getLogger("floorhouse.edge")


class Room:
    """The bytes that a spool uses and may use."""

    def __init__(self, folder: Path, max_bytes: int, when_full: str) -> None:
        self.folder, self.max_bytes, self.when_full = folder, max_bytes, when_full
        self._used: int | None = None  # as far as this process knows

    def measure(self) -> int:
        """The bytes of the disk in use."""
        total = 0
        for part in ("objects", "torn"):
            for folder, _, files in os.walk(self.folder / part):
                total += sum(
                    disk.on_disk(disk.size_of(os.path.join(folder, file))) for file in files if file != COUNTER
                )
        return total

    def forget(self) -> None:
        """Measure again before the next bytes: other processes may have written or removed some."""
        self._used = None

    def take(self, size: int, cameras: Callable[[], Sequence[Camera]], now: datetime) -> None:
        """Count so many bytes of the disk as used, after the rule has made room for them.

        Raises:
            SpoolFullError: they do not fit, and nothing may go or nothing is left that may.
        """
        if self._used is None or self._used + size > self.max_bytes:
            self._used = self.measure()
        while self._used + size > self.max_bytes:
            if self.when_full != DROP_OLDEST or not self._drop_oldest(cameras(), now):
                raise SpoolFullError(
                    f"The spool {self.folder} is full: {self._used} of {self.max_bytes} bytes are used, "
                    f"{size} more are needed."
                )
            self._used = self.measure()
        self._used += size

    def dropped(self) -> dict[str, Any]:
        """Objects, events and bytes that were acknowledged and then dropped for want of room, ever."""
        nothing = {"objects": 0, "events": 0, "bytes": 0, "last_key": None, "last_at": None}
        return {**nothing, **read_json(self.folder / DROPPED)}

    def _drop_oldest(self, cameras: Sequence[Camera], now: datetime) -> bool:
        """Drop the sealed object that was written first; False where there is none."""
        heads: list[tuple[os.stat_result, Camera, ObjectName]] = []
        for camera in cameras:
            for name in camera.objects()[:1]:
                try:
                    if name.ending != OPEN:
                        heads.append((os.stat(camera.path(name)), camera, name))
                except FileNotFoundError:  # uploaded since: room was made
                    return True
        if not heads:
            return False
        stat, camera, name = min(heads, key=lambda head: head[0].st_mtime_ns)
        dropped, key = self.dropped(), name.key(camera.stream)
        if dropped["last_key"] != key:  # else it was counted by a process that was killed before the removal
            dropped = {
                "objects": dropped["objects"] + 1,
                "events": dropped["events"] + (name.events or 0),
                "bytes": dropped["bytes"] + stat.st_size,
                "last_key": key,
                "last_at": instant(now),
            }
            # On a disk that is full below the limit this may fail: then nothing is dropped and the new is refused.
            disk.replace_file(self.folder / DROPPED, [json.dumps(dropped).encode()])
        camera.path(name).unlink(missing_ok=True)
        _log.error("the spool is full: dropped %s, %s events, %d bytes", key, name.events, stat.st_size)
        return True
