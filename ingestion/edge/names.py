"""The names of a camera's objects, in the spool and in the bucket. Pure functions: no disk, no clock.

    spool    site_id=S/camera_id=C/2026-01-15_20260115T060000Z-3f9c2a-000000000042_e120.jsonl
    bucket   events/site_id=S/camera_id=C/2026-01-15/20260115T060000Z-3f9c2a-000000000042.jsonl

The number counts a camera's objects. The epoch is the time when the count began, with a random token: a new spool on
a replaced disk never overwrites an object of the old one. None of the three parts ever decreases, whatever the clock
does, so the names sort by creation. If the clock was ahead, the date stays until the clock has caught up. The date is
only a folder's name; the events carry their own times.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

OPEN = ".open"
# The endings that landing reads, in any letter case (contract §1).
ENDINGS = tuple(
    kind + packed for kind in (".jsonl", ".ndjson", ".json") for packed in ("", ".gz", ".gzip", ".zst", ".zstd")
)

MAX_IDENTIFIER_LENGTH = 64  # characters, as in contract §2
MAX_IDENTIFIER_BYTES = 240  # with `camera_id=` before it, what a file system takes as one name

_EPOCH_TIME = "%Y%m%dT%H%M%SZ"
_NAME = re.compile(
    r"(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})_(?P<epoch>[0-9]{8}T[0-9]{6}Z-[0-9a-f]{6})-(?P<number>[0-9]{12})"
    r"(?:_(?:e(?P<events>[0-9]+)|file))?(?P<ending>\.[a-z.]+)"
)
_NOT_IN_A_KEY = re.compile(r"[/\\\x00-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True, order=True)
class Stream:
    """A camera. Its objects are uploaded in order, and the folders of their keys name it.

    `source` names the program whose records have fields of their own; empty for records as contract §2 has them.
    """

    site_id: str
    camera_id: str
    source: str = ""

    @property
    def folder(self) -> str:
        """The Hive-style folders, as contract §1 has them."""
        folder = f"site_id={self.site_id}/camera_id={self.camera_id}"
        return f"{folder}/source={self.source}" if self.source else folder

    @classmethod
    def of_folder(cls, folder: str) -> Stream:
        """The camera whose `folder` this is."""
        return cls(*(part.partition("=")[2] for part in folder.split("/")))


@dataclass(frozen=True, slots=True, order=True)
class ObjectName:
    """One object of a camera. `events` is None for a complete file of the camera, which the uploader does not read."""

    date: str
    epoch: str
    number: int
    ending: str
    events: int | None = None

    @property
    def in_spool(self) -> str:
        """The file's name in the camera's folder of the spool."""
        kind = "" if self.ending == OPEN else "_file" if self.events is None else f"_e{self.events}"
        return f"{self.date}_{self.sequence}{kind}{self.ending}"

    @property
    def sequence(self) -> str:
        """The part of the name by which a camera's objects sort."""
        return f"{self.epoch}-{self.number:012d}"

    def key(self, stream: Stream) -> str:
        """The object's key in the bucket; the same at every attempt."""
        return f"events/{stream.folder}/{self.date}/{self.sequence}{self.ending}"

    def sealed(self, events: int) -> ObjectName:
        """The name of an open object that is now complete."""
        return replace(self, ending=".jsonl", events=events)


def parse_name(name: str) -> ObjectName | None:
    """The object in a file of the spool, or None if the file is no object."""
    match = _NAME.fullmatch(name)
    if match is None or match["ending"] not in (*ENDINGS, OPEN):
        return None
    events = int(match["events"]) if match["events"] else None
    return ObjectName(match["date"], match["epoch"], int(match["number"]), match["ending"], events)


def next_name(counted: ObjectName | None, seen: ObjectName | None, now: datetime, token: str) -> ObjectName:
    """The open object after the last one: `counted` by the durable counter, or only `seen` where that was lost.

    Objects after those in the spool may have been uploaded and removed. So the number of a lost counter is never
    guessed: a new epoch begins, later than the previous one.
    """
    today = f"{now.astimezone(UTC):%Y-%m-%d}"
    if counted is not None:
        last = max(counted, seen) if seen is not None and seen.epoch == counted.epoch else counted
        return ObjectName(max(today, last.date), last.epoch, last.number + 1, OPEN)
    begun = now.astimezone(UTC).replace(microsecond=0, tzinfo=None)
    if seen is not None:
        today = max(today, seen.date)
        begun = max(begun, datetime.strptime(seen.epoch.split("-")[0], _EPOCH_TIME) + timedelta(seconds=1))  # noqa: DTZ007  # compared with its like
    return ObjectName(today, f"{begun:{_EPOCH_TIME}}-{token}", 1, OPEN)


def why_not_an_identifier(value: str) -> str | None:
    """Why an id of a site or camera cannot be a folder of a key, as the end of a sentence; None if it can."""
    if not 1 <= len(value.strip(" ")) <= MAX_IDENTIFIER_LENGTH:
        return f"allowed: a text of 1 to {MAX_IDENTIFIER_LENGTH} characters"
    if _NOT_IN_A_KEY.search(value):
        return "allowed: a text without slashes and control characters"
    if len(value.encode()) > MAX_IDENTIFIER_BYTES:
        return f"allowed: a text of at most {MAX_IDENTIFIER_BYTES} bytes"
    return None
