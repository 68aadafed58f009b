"""The limit of a spool's disk use, and what happens when the limit is reached (`when_full`):

- `refuse`, the default: nothing is deleted. New records are refused (`SpoolFullError`) and new files stay in the inbox
  until the uploader has made room. So every acknowledged record lands. The camera knows of a loss at once, and can
  hold, retry or turn on a lamp.
- `drop_oldest`, for cameras that cannot react to a refusal: the oldest sealed objects that are not uploaded yet are
  deleted, each camera's in order, never the open object. A dropped object is counted before it is removed, and every
  status reports the count. Choose this where today's events matter more than last week's.

The limit counts objects, torn ends and what a bridge sets aside in whole blocks of the disk: otherwise the small
objects of slow cameras would fill a disk of ten times the limit. The inbox does not count. Each process counts its own
appends exactly, and those of others when it opens an object or reaches the limit: processes that append at the same
time may exceed the limit by one open object each. The caller holds the spool's lock.
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
UNMATCHED = "unmatched"  # what a bridge has taken and cannot send yet (ingestion/bridge/unmatched.py)

_log = logging.getLogger("floorhouse.edge")


class Room:
    """The disk space that a spool uses and may use."""

    def __init__(self, folder: Path, max_bytes: int, when_full: str) -> None:
        self.folder, self.max_bytes, self.when_full = folder, max_bytes, when_full
        self._used: int | None = None  # None: to be measured

    def measure(self) -> int:
        """The disk space in use, in bytes."""
        total = 0
        for part in ("objects", "torn", UNMATCHED):
            for folder, _, files in os.walk(self.folder / part):
                total += sum(
                    disk.on_disk(disk.size_of(os.path.join(folder, file))) for file in files if file != COUNTER
                )
        return total

    def forget(self) -> None:
        """Measure again at the next `take`: other processes may have written or removed files."""
        self._used = None

    def take(self, size: int, cameras: Callable[[], Sequence[Camera]], now: datetime) -> None:
        """Reserve `size` bytes of the disk; `drop_oldest` first deletes what is needed.

        Raises:
            SpoolFullError: the bytes do not fit.
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
        """The objects, events and bytes that were acknowledged and later dropped, since the spool began."""
        nothing = {"objects": 0, "events": 0, "bytes": 0, "last_key": None, "last_at": None}
        return {**nothing, **read_json(self.folder / DROPPED)}

    def _drop_oldest(self, cameras: Sequence[Camera], now: datetime) -> bool:
        """Drop the oldest sealed object; False if there is none."""
        heads: list[tuple[os.stat_result, Camera, ObjectName]] = []
        for camera in cameras:
            for name in camera.objects()[:1]:
                try:
                    if name.ending != OPEN:
                        heads.append((os.stat(camera.path(name)), camera, name))
                except FileNotFoundError:  # uploaded meanwhile, which made room
                    return True
        if not heads:
            return False
        stat, camera, name = min(heads, key=lambda head: head[0].st_mtime_ns)
        dropped, key = self.dropped(), name.key(camera.stream)
        if dropped["last_key"] != key:  # else a killed process counted it and did not remove it
            dropped = {
                "objects": dropped["objects"] + 1,
                "events": dropped["events"] + (name.events or 0),
                "bytes": dropped["bytes"] + stat.st_size,
                "last_key": key,
                "last_at": instant(now),
            }
            # This fails on a disk that is full below the limit: then nothing is dropped and the record is refused.
            disk.replace_file(self.folder / DROPPED, [json.dumps(dropped).encode()])
        camera.path(name).unlink(missing_ok=True)
        _log.error("the spool is full: dropped %s, %s events, %d bytes", key, name.events, stat.st_size)
        return True
