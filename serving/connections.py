"""Cuts off client connections on which nothing happens. Knows nothing about requests.

A client that loses power in the middle of a request's head never closes the connection, and uvicorn would wait for the
rest for ever. Such connections accumulate over weeks until the process may open no more files. Answers that nobody
reads accumulate in the same way. h11 is the parser because it limits the size of headers; the faster parser does not.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import cast

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

# More than a plant has readers and cameras; each connection takes a file descriptor and some 20 KB of memory.
MAX_CONNECTIONS = 4096

# The newest request, whether it is answered, and the bytes of answers that the client has not read yet.
_Progress = tuple[RequestResponseCycle | None, bool, int]


class TimedConnection(H11Protocol):
    """A connection that is cut off after the graceful shutdown time without progress; no request may take that long.

    Progress is a new request, work on its answer, or a client that reads an answer, however slowly. Single bytes of a
    head are not progress. If there are too many connections, idle ones of the client with the most idle connections are
    closed.
    """

    _timer: asyncio.TimerHandle | None = None
    _idle_since: float = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """As uvicorn's, after making room for the connection."""
        has_room = len(self.connections) < MAX_CONNECTIONS or self._make_room()
        super().connection_made(transport)
        self._idle_since = self.loop.time()
        self._look_again_after(self._progress())
        if not has_room:
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """As uvicorn's."""
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """As uvicorn's."""
        self._idle_since = self.loop.time()
        super().on_response_complete()

    def _make_room(self) -> bool:
        """Cut off the longest idle connection of the address with the most idle connections."""
        idle = [one for one in cast("set[TimedConnection]", self.connections) if one._is_idle]
        if not idle:
            return False
        address_of = {one: one.client[0] if one.client else "" for one in idle}
        (most, _), *_ = Counter(address_of.values()).most_common(1)
        oldest = min((one for one in idle if address_of[one] == most), key=lambda one: one._idle_since)
        self.connections.discard(oldest)
        oldest.transport.abort()
        return True

    @property
    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    @property
    def _is_worked_on(self) -> bool:
        """Whether a request is complete and its answer is in progress, whose time the application limits itself.

        An answer that waits behind earlier unread ones is not in progress.
        """
        cycle: RequestResponseCycle | None = self.cycle
        is_asked = cycle is not None and not cycle.more_body and not cycle.response_started
        return is_asked and not self.transport.get_write_buffer_size()

    def _progress(self) -> _Progress:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle, cycle is not None and cycle.response_complete, self.transport.get_write_buffer_size()

    def _look_again_after(self, seen: _Progress) -> None:
        self._timer = self.loop.call_later(self.config.timeout_graceful_shutdown or 0, self._look, seen)

    def _look(self, seen: _Progress) -> None:
        now = self._progress()
        if now == seen and not self._is_worked_on:
            self.transport.abort()  # an orderly close would wait until the client has read everything
        else:
            self._look_again_after(now)
