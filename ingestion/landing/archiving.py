"""Moving landed objects to the archive beside the landing, so that nobody waits for it: own threads, own time.

An object comes here after its commit. Whether it is moved changes no number: one that could not be is recognised by
the next batch, landed no second time, and moved then. So a failure is told and never fails the landing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from ingestion.bucket import Bucket, FetchedObject
from ingestion.errors import BucketError

# Contents that wait to be archived; above it they are let go, and the server copies its own.
MAX_WAITING_BYTES = 64 * 1024 * 1024
# A bucket that refuses so many refuses all; the next batch asks it again.
GIVE_UP_AFTER_FAILURES = 20


@dataclass(frozen=True, slots=True)
class ArchiveReport:
    """What became of the objects handed over: moved, or left where they were because of `failure` (the first one's
    sentence). What was replaced since it was read is neither. `seconds` is the wall time in which any was being moved.
    """

    archived: int = 0
    left: int = 0
    failure: str | None = None
    seconds: float = 0.0


class Archiver:
    """Archives what it is given until the `with` block ends; a block that ends by an error leaves the rest."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._pool = ThreadPoolExecutor(bucket.concurrency, thread_name_prefix="archive")
        self._futures: list[Future[None]] = []
        self._lock = threading.Lock()
        self._archived = self._left = self._failures = 0
        self._failure: str | None = None
        self._is_ended = False
        self._waiting_bytes = self._active = 0
        self._active_since = self._seconds = 0.0

    def __enter__(self) -> Archiver:
        return self

    def __exit__(self, *_: object) -> None:
        self._is_ended = True
        self._pool.shutdown(cancel_futures=True)

    def take(self, objects: Sequence[FetchedObject]) -> None:
        """Archive these objects some time soon; returns at once."""
        share = -(-len(objects) // self._bucket.concurrency)  # rounded up
        for start in range(0, len(objects), share or 1):
            part = [self._light(one) for one in objects[start : start + share]]
            self._futures.append(self._pool.submit(self._archive, part))

    def finish(self) -> ArchiveReport:
        """Wait for what is under way and say what became of all."""
        for future in self._futures:
            future.result()
        self._futures = []
        return ArchiveReport(self._archived, self._left, self._failure, self._seconds)

    def _light(self, one: FetchedObject) -> FetchedObject:
        """The object without its content where none is needed (a folder's file is renamed), or too much waits."""
        if one.content is None:
            return one
        with self._lock:
            if one.identity is not None or self._waiting_bytes + len(one.content) > MAX_WAITING_BYTES:
                return one._replace(content=None)
            self._waiting_bytes += len(one.content)
        return one

    def _archive(self, objects: list[FetchedObject]) -> None:
        self._busy(+1)
        try:
            # Each one is let go of as soon as it is done.
            while objects and not self._is_ended:
                self._archive_one(objects.pop())
        finally:
            self._busy(-1)

    def _archive_one(self, one: FetchedObject) -> None:
        moved, failure = 0, None
        if self._failures < GIVE_UP_AFTER_FAILURES:
            try:
                moved = int(self._bucket.archive(one))
            except BucketError as error:
                failure = str(error)
        is_left = failure is not None or self._failures >= GIVE_UP_AFTER_FAILURES
        with self._lock:
            self._archived += moved
            self._left += int(is_left and not moved)
            self._failures += failure is not None
            self._failure = self._failure or failure
            self._waiting_bytes -= len(one.content or b"")

    def _busy(self, change: int) -> None:
        with self._lock:
            if self._active == 0:
                self._active_since = time.monotonic()
            self._active += change
            if self._active == 0:
                self._seconds += time.monotonic() - self._active_since
