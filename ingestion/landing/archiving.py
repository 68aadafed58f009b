"""Moves landed objects to the archive in threads of its own, so that landing does not wait for it.

An object arrives here after its commit. Moving it changes no figure: if the move fails, the next batch recognises the
object, does not land it again, and moves it then. A failure is therefore reported and never fails the landing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from ingestion.bucket import Bucket, FetchedObject
from ingestion.errors import BucketError

# Bytes of content that may wait for archiving; beyond that the content is released and the server copies the object.
MAX_WAITING_BYTES = 64 * 1024 * 1024
# After this many refusals the bucket counts as unavailable; the next batch tries again.
GIVE_UP_AFTER_FAILURES = 20


@dataclass(frozen=True, slots=True)
class ArchiveReport:
    """How many objects were moved, and how many stay because of `failure` (the first failure's message). An object that
    was replaced after it was read counts as neither. `seconds` is the wall time during which objects were being moved.
    """

    archived: int = 0
    left: int = 0
    failure: str | None = None
    seconds: float = 0.0


class Archiver:
    """Archives the given objects until the `with` block ends; an error in the block leaves the remaining ones."""

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
        """Queue these objects for archiving and return at once."""
        share = -(-len(objects) // self._bucket.concurrency)  # rounded up
        for start in range(0, len(objects), share or 1):
            part = [self._light(one) for one in objects[start : start + share]]
            self._futures.append(self._pool.submit(self._archive, part))

    def finish(self) -> ArchiveReport:
        """Wait for the queued objects and return the report."""
        for future in self._futures:
            future.result()
        self._futures = []
        return ArchiveReport(self._archived, self._left, self._failure, self._seconds)

    def _light(self, one: FetchedObject) -> FetchedObject:
        """The object without its content, if a rename needs no content or too many bytes already wait."""
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
            # Release each object as soon as it is done.
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
