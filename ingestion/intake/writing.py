"""Group commit: writes the lines of all waiting requests as one object, and answers them when it is durable.

A sync or a PUT costs the same for one event as for a thousand, and landing is slow with many small objects. A group is
written when it is large enough, when its oldest request has waited long enough, or when every open connection waits in
it. The next group gathers meanwhile. Nothing here depends on the content of the lines.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from ingestion.errors import BucketError

PREFIX = "events/intake/"
LABELS_PREFIX = "labels/intake/"
MAX_OBJECT_BYTES = 8 << 20  # a group stops growing at this size; a larger request is an object of its own
MAX_LEFT_BEHIND = 8  # hanging writes, each with a thread and an object; with so many, no new one begins

Put = Callable[[str, bytes], None]


@dataclass(slots=True)
class _Request:
    lines: bytes
    arrived: float  # seconds of the event loop's clock
    durable: asyncio.Future[None]


class ObjectNames:
    """Unique keys: a time for people, a sequence number for the order, and a random part for each process."""

    def __init__(self, prefix: str = PREFIX) -> None:
        self._prefix = prefix
        self._unique = secrets.token_hex(8)
        self._sequence = 0

    def next(self, now: datetime) -> str:
        """The next object's key; `now` is in UTC."""
        self._sequence += 1
        return f"{self._prefix}{now:%Y-%m-%d}/{now:%H%M%S}-{self._sequence:08d}-{self._unique}.jsonl"


class GroupWriter:
    """Writes groups of lines, one after the other. Belongs to one event loop."""

    def __init__(
        self,
        put: Put,
        next_key: Callable[[], str],
        group_bytes: int,
        group_seconds: float,
        write_seconds: float,
        open_connections: Callable[[], int] = lambda: 0,
    ) -> None:
        self._put = put
        self._hand = _Hand(put)
        self._left_behind: list[_Hand] = []
        self._next_key = next_key
        self._group_bytes = min(group_bytes, MAX_OBJECT_BYTES)
        self._group_seconds = group_seconds
        self._write_seconds = write_seconds
        self._open_connections = open_connections
        self._gathered: list[_Request] = []
        self._gathered_bytes = 0
        self._timer: asyncio.TimerHandle | None = None
        self._writing: asyncio.Task[None] | None = None
        self.written_objects = 0
        self.failure: BucketError | None = None  # of the newest write

    async def write(self, lines: bytes) -> None:
        """Return when the lines are durable in the bucket.

        Raises:
            BucketError: the write failed, or the bucket did not answer in time; the lines may then be in the bucket.
        """
        loop = asyncio.get_running_loop()
        request = _Request(lines, loop.time(), loop.create_future())
        self._gathered.append(request)
        self._gathered_bytes += len(lines)
        self._consider()
        await request.durable

    def _consider(self) -> None:
        """Start a write or a timer for it. While a write runs do nothing: its end calls this again."""
        if self._writing is not None or not self._gathered:
            return
        loop = asyncio.get_running_loop()
        due = self._gathered[0].arrived + self._group_seconds
        is_full = self._gathered_bytes >= self._group_bytes or len(self._gathered) >= self._open_connections()
        if is_full or loop.time() >= due:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            self._writing = loop.create_task(self._write_group(self._take_group()))
            self._writing.add_done_callback(self._written)
        elif self._timer is None:
            self._timer = loop.call_at(due, self._time_is_up)

    def _time_is_up(self) -> None:
        self._timer = None
        self._consider()

    def _take_group(self) -> list[_Request]:
        size = taken = 0
        for request in self._gathered:
            if taken and size + len(request.lines) > MAX_OBJECT_BYTES:
                break
            size += len(request.lines)
            taken += 1
        group, self._gathered = self._gathered[:taken], self._gathered[taken:]
        self._gathered_bytes -= size
        return group

    async def _write_group(self, group: list[_Request]) -> None:
        try:
            await self._put_in_time(self._next_key(), b"".join(request.lines for request in group))
        except BaseException as error:
            self.failure = error if isinstance(error, BucketError) else BucketError(f"The intake failed: {error!r}.")
            for request in group:
                if not request.durable.done():  # a client that left no longer waits
                    request.durable.set_exception(self.failure)
            if not isinstance(error, BucketError):
                raise
        else:
            self.failure = None
            self.written_objects += 1
            for request in group:
                if not request.durable.done():
                    request.durable.set_result(None)

    def _written(self, task: asyncio.Task[None]) -> None:
        self._writing = None
        self._consider()
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error  # a fault of this program: the loop's handler reports it

    async def _put_in_time(self, key: str, content: bytes) -> None:
        """Write the object. A thread that does not return in time is abandoned, and the next write gets a new one."""
        self._left_behind = [hand for hand in self._left_behind if hand.is_working]
        if len(self._left_behind) >= MAX_LEFT_BEHIND:
            raise BucketError(f"The landing bucket did not take {MAX_LEFT_BEHIND} objects yet, and gets no more.")
        try:
            async with asyncio.timeout(self._write_seconds):
                await self._hand.put(key, content)
        except TimeoutError as error:
            self._hand.let_go()
            self._left_behind.append(self._hand)
            self._hand = _Hand(self._put)
            raise BucketError(f"The landing bucket did not take {key} within {self._write_seconds:g} s.") from error


class _Hand:
    """A daemon thread that puts objects: a hanging bucket does not keep the process from ending.

    Writes reuse it, because starting a thread takes longer than syncing a file.
    """

    def __init__(self, put: Put) -> None:
        self._put = put
        self._tasks: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    @property
    def is_working(self) -> bool:
        """Whether the thread still runs."""
        return self._thread is not None and self._thread.is_alive()

    async def put(self, key: str, content: bytes) -> None:
        """Put an object in the thread; return or raise as the put does."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="bucket-writer", daemon=True)
            self._thread.start()
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[None] = loop.create_future()

        def end(error: Exception | None) -> None:
            if ended.done():  # the caller has given up
                return
            if error is None:
                ended.set_result(None)
            else:
                ended.set_exception(error)

        def task() -> None:
            outcome: Exception | None = None
            try:
                self._put(key, content)
            except Exception as error:  # noqa: BLE001  # raised where the write is awaited
                outcome = error
            with contextlib.suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(end, outcome)

        self._tasks.put(task)
        await ended

    def let_go(self) -> None:
        """End the thread after its current task."""
        self._tasks.put(None)

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            task()
