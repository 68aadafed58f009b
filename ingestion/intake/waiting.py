"""Limits the requests that are read, judged or written at the same time, and the bytes that they hold.

So memory is bounded, and no sender can take all of it: if there is no room for a request, the sender with the largest
share gives way. If that is the request's own sender, the request is refused at once.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import TracebackType


class TooManyWaiting(Exception):
    """There is no room; the text is a sentence that says for what."""


class Waiting:
    """The waiting requests and their bytes, within their limits."""

    def __init__(self, max_requests: int, max_bytes: int) -> None:
        self.max_requests = max_requests
        self.max_bytes = max_bytes
        self.requests = 0
        self.bytes = 0
        self.places: dict[str, list[Place]] = {}  # of each holder, in order of arrival

    def place(self, holder: str = "") -> Place:
        """A place for one request of a holder, for a `with` block. Entering it may raise `TooManyWaiting`."""
        return Place(self, holder)

    def has_room(self, holder: str, requests: int, size: int) -> bool:
        """Whether the requests and bytes fit. Holders of larger shares give way first."""
        while self.requests + requests > self.max_requests or self.bytes + size > self.max_bytes:
            is_full = self.requests + requests > self.max_requests
            mine = self._held(holder, is_full) + (requests if is_full else size)
            held, most = max(
                (
                    (self._held(other, is_full), other)
                    for other, places in self.places.items()
                    if other != holder and any(one.gives_way for one in places)
                ),
                default=(0, ""),
            )
            if held <= mine:
                return False
            max((one for one in self.places[most] if one.gives_way), key=lambda one: one.bytes).give_way()
        return True

    def _held(self, holder: str, is_requests: bool) -> int:
        places = self.places.get(holder, [])
        return len(places) if is_requests else sum(one.bytes for one in places)


class Place:
    """One request's share. `gives_way` ends the request; None if it can no longer be ended."""

    def __init__(self, waiting: Waiting, holder: str) -> None:
        self._waiting = waiting
        self._holder = holder
        self._is_held = False
        self.bytes = 0
        self.gives_way: Callable[[], None] | None = None
        self.gave_way = False

    def __enter__(self) -> Place:
        if not self._waiting.has_room(self._holder, 1, 0):
            raise TooManyWaiting(f"{self._waiting.max_requests} requests are waiting already; send it again later.")
        self._waiting.requests += 1
        self._waiting.places.setdefault(self._holder, []).append(self)
        self._is_held = True
        return self

    def hold(self, size: int) -> None:
        """Hold so many bytes in all. Raises `TooManyWaiting`."""
        more = max(size - self.bytes, 0)
        if self.gave_way or not self._waiting.has_room(self._holder, 0, more):
            raise TooManyWaiting(f"Requests of {self._waiting.bytes} bytes are waiting already; send it again later.")
        self._waiting.bytes += more
        self.bytes += more

    def give_way(self) -> None:
        """Release the room for another sender and end the request."""
        self.gave_way = True
        self._leave()
        if self.gives_way:
            self.gives_way()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()

    def _leave(self) -> None:
        if self._is_held:
            self._is_held = False
            self._waiting.requests -= 1
            self._waiting.bytes -= self.bytes
            self.bytes = 0
            places = self._waiting.places[self._holder]
            places.remove(self)
            if not places:
                del self._waiting.places[self._holder]


class Turns:
    """Grants one turn at a time. Waiting holders take turns, however many requests one of them has."""

    def __init__(self) -> None:
        self._is_taken = False
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}  # the next holder comes first

    @asynccontextmanager
    async def turn(self, holder: str) -> AsyncIterator[None]:
        """A turn, for an `async with` block."""
        if self._is_taken:
            mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.setdefault(holder, deque()).append(mine)
            try:
                await mine
            except asyncio.CancelledError:
                if mine.done() and not mine.cancelled():  # the turn came at the same moment
                    self._pass_on()
                raise
        self._is_taken = True
        try:
            yield
        finally:
            self._pass_on()

    def _pass_on(self) -> None:
        while self._waiting:
            holder = next(iter(self._waiting))
            queue = self._waiting.pop(holder)
            following = queue.popleft()
            if queue:
                self._waiting[holder] = queue
            if not following.done():
                following.set_result(None)
                return
        self._is_taken = False
