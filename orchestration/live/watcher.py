"""Looks at the bucket every second and asks the warm process for a batch when there is something to land.

The first object after a pause starts a batch at once. What arrives while a batch runs is gathered for the next one. A
batch that failed, or whose process was killed, is asked for again after the pauses of `decision.py`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

from ingestion.bucket import Bucket, LocalBucket, open_landing_bucket
from ingestion.errors import FloorhouseError
from ingestion.settings import Settings
from orchestration.live.decision import REGISTRY_PREFIX, Failures, Wait, decide, landable_objects, remember

LOOK_SECONDS = 1.0
# Each look at a server is a request: while nothing comes, the pause grows by half each time, up to this.
LONGEST_PAUSE_SECONDS = 5.0
# A bucket that does not answer is asked less and less often.
LONGEST_OUTAGE_PAUSE_SECONDS = 30.0
# A look may take this share of a core. In a bucket of many objects the pause between two looks is longer.
SHARE_OF_A_CORE = 0.01
# Silence and stale clocks are found by batches too, so one runs at least this often.
REGULAR_SECONDS = 3600.0


class Batches(Protocol):
    """Runs the batches that the watcher asks for."""

    def ready(self) -> None:
        """Prepare for a batch."""

    def ask(self) -> None:
        """Start a batch."""


class Watcher:
    """Knows when the next batch is due. `look` is called while no batch runs, `ended` after each batch."""

    def __init__(
        self,
        settings: Settings,
        batches: Batches,
        log: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
        cost: Callable[[], float] = time.process_time,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        open_bucket: Callable[[Settings], Bucket] = open_landing_bucket,
    ) -> None:
        self.is_running = False
        self._settings, self._batches, self._log = settings, batches, log
        self._clock, self._cost, self._now, self._open = clock, cost, now, open_bucket
        self._bucket: Bucket | None = None
        self._requested = ""
        self._failures: Failures | None = None
        self._started = float("-inf")  # no batch yet, so one is due
        self._pause = LOOK_SECONDS
        self._is_bucket_away = False

    def look(self) -> float:
        """Start a batch if one is due. Returns the seconds until the next look."""
        self._batches.ready()
        since = self._clock() - self._started
        if since < self._settings.least_batch_seconds:
            return self._settings.least_batch_seconds - since
        began = self._cost()
        try:
            is_due = self._is_due(since)
        except (FloorhouseError, OSError) as error:
            return self._outage(error)
        took = self._cost() - began
        if self._is_bucket_away:
            self._log("watcher   the bucket answers again")
            self._is_bucket_away = False
        if is_due:
            self._pause, self._started, self.is_running = LOOK_SECONDS, self._clock(), True
            self._batches.ask()
            return 0.0
        is_local = isinstance(self._bucket, LocalBucket)
        self._pause = LOOK_SECONDS if is_local else min(1.5 * self._pause, LONGEST_PAUSE_SECONDS)
        return max(self._pause, took / SHARE_OF_A_CORE)

    def ended(self, status: int) -> None:
        """Note the exit status of the batch that ran. After any but 0 the batch is asked for again."""
        self.is_running = False
        if status == 0:
            self._failures = None
            return
        count = self._failures.count + 1 if self._failures else 1
        self._failures = Failures(count, "", self._now())
        what = "the batch failed" if status >= 0 else "the batch's process was ended from outside"
        self._log(f"watcher   {what}; it is asked for again at {self._failures.retry_at():%H:%M:%S} UTC")

    def _is_due(self, since: float) -> bool:
        if self._bucket is None:
            self._bucket = self._open(self._settings)
        now = self._now()
        decision = decide(
            landable_objects(self._bucket, self._settings, now),
            list(self._bucket.list(REGISTRY_PREFIX)),
            landed={},  # a plant that keeps its objects in place is due whenever its listing changes
            requested=self._requested,
            is_batch_waiting=False,
            failures=self._failures,
            now=now,
        )
        if isinstance(decision, Wait):
            return self._failures is None and since >= REGULAR_SECONDS
        self._requested = remember(decision)
        return True

    def _outage(self, error: Exception) -> float:
        self._bucket = None
        if not self._is_bucket_away:
            self._log(f"watcher   the bucket cannot be looked at, and is asked again until it answers: {error}")
        self._pause = min(2 * self._pause, LONGEST_OUTAGE_PAUSE_SECONDS) if self._is_bucket_away else LOOK_SECONDS
        self._is_bucket_away = True
        return self._pause
