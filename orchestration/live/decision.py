"""Decides whether the bucket needs a batch now. The listing and the last batches decide; no object is read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from ingestion.bucket import Bucket, ObjectInfo, is_still
from ingestion.landing.manifest import storable_key
from ingestion.landing.unread import Unread, pending_objects
from ingestion.settings import Settings

REGISTRY_PREFIX = "registry/"
BACKLOG_OBJECTS = 10_000  # objects listed at most; listing a million takes longer than the pause between two looks

# The wait between the end of a failed batch and its retry: after the first failure, the second, …, each later one.
RETRY_SECONDS = (60, 120, 300, 900)


@dataclass(frozen=True, slots=True)
class Landed:
    """What the published manifest holds about a key: its contents' sizes in bytes, and the newest landing time."""

    sizes: frozenset[int]
    landed_at: datetime


@dataclass(frozen=True, slots=True)
class Failures:
    """The batches that failed or were lost since the last one that succeeded."""

    count: int
    last_run_id: str
    last_ended_at: datetime

    def retry_at(self) -> datetime:
        """The earliest time for the next batch."""
        return self.last_ended_at + timedelta(seconds=RETRY_SECONDS[min(self.count, len(RETRY_SECONDS)) - 1])


@dataclass(frozen=True, slots=True)
class Start:
    """Start a batch. `fingerprint` identifies the listing that it is for, `registry` the listing's registry files.

    `after` is the id of the failed run that it retries; empty if none failed.
    """

    fingerprint: str
    registry: str
    reason: str
    after: str = ""


@dataclass(frozen=True, slots=True)
class Wait:
    """Start no batch, for this reason."""

    reason: str


def decide(
    events: Sequence[ObjectInfo],
    registry: Sequence[ObjectInfo],
    *,
    landed: Mapping[str, Landed],
    requested: str,
    is_batch_waiting: bool,
    failures: Failures | None,
    now: datetime,
) -> Start | Wait:
    """Whether the listed bucket needs a batch.

    `landed` holds the objects that the marts contain; only a plant that keeps landed objects in place needs it.
    `requested` is the stored form of the last `Start` (`remember`), empty at first. A batch that failed may have landed
    objects that the marts do not show yet, so it is retried whatever the bucket holds.
    """
    if failures is not None:
        return _again(failures, fingerprint([*events, *registry]), fingerprint(registry), is_batch_waiting, now)
    new = [info for info in events if _is_new(info, landed.get(storable_key(info.key)))]
    registry_print = fingerprint(registry)
    requested_listing, _, requested_registry = requested.partition(" ")
    is_registry_new = bool(registry or requested) and registry_print != requested_registry
    if not new and not is_registry_new:
        return Wait("Nothing new in the bucket.")
    listing_print = fingerprint([*events, *registry])
    if listing_print == requested_listing:
        return Wait("A batch was already requested for these objects.")
    if is_batch_waiting:
        return Wait("A batch is already waiting to start; it will land these objects too.")
    objects = [f"{len(new):,} new object{'s' * (len(new) != 1)}"] if new else []
    files = ["changed registry files"] if is_registry_new else []
    return Start(listing_print, registry_print, " and ".join(objects + files))


def _again(failures: Failures, listing: str, registry: str, is_batch_waiting: bool, now: datetime) -> Start | Wait:
    told = "The last batch" if failures.count == 1 else f"The last {failures.count} batches"
    if is_batch_waiting:
        return Wait(f"{told} failed; the next one already waits to start.")
    if now < failures.retry_at():
        return Wait(f"{told} failed; the next one is asked for at {failures.retry_at():%H:%M:%S} UTC.")
    return Start(listing, registry, f"{told} failed", after=failures.last_run_id)


def remember(start: Start) -> str:
    """The stored form of a `Start`, which the next call of `decide` receives."""
    return f"{start.fingerprint} {start.registry}"


def fingerprint(listing: Iterable[ObjectInfo]) -> str:
    """A short hash of a listing: keys, sizes and times of change, in any order."""
    digest = hashlib.sha256()
    for info in sorted(listing, key=lambda info: info.key):
        digest.update(f"{storable_key(info.key)}\0{info.size}\0{info.modified.timestamp()!r}\n".encode())
    return digest.hexdigest()[:20]


def _is_new(info: ObjectInfo, landed: Landed | None) -> bool:
    return landed is None or info.size not in landed.sizes or info.modified > landed.landed_at


def landable_objects(bucket: Bucket, settings: Settings, now: datetime) -> list[ObjectInfo]:
    """The objects to land now. If landed objects are moved away, the first ones suffice to show a backlog.

    An object that is not still yet does not count: a batch requested too early would not be requested again.
    """
    still = (info for info in pending_objects(bucket, Unread(now)) if is_still(info, now, settings.still_seconds))
    return list(islice(still, BACKLOG_OBJECTS) if settings.landed_objects == "archive" else still)
