"""Closes client connections without progress. Knows nothing about the content of requests.

A client that loses power in the middle of a request's head never closes the connection, and uvicorn would wait for the
rest for ever. Such connections accumulate over weeks until the process cannot open any more files. Connections with
unread answers accumulate in the same way. h11 is the parser, because it limits the size of headers; the faster parser
does not.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import cast

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

# More than the readers and cameras of a plant. Each connection takes a file descriptor and about 20 KB of memory.
MAX_CONNECTIONS = 4096

# The newest request, whether its answer is complete, and the bytes of answers that the client has not read yet.
_Progress = tuple[RequestResponseCycle | None, bool, int]


class TimedConnection(H11Protocol):
    """A connection that is closed after the graceful shutdown time without progress. No request may take that long.

    Progress is a new request, work on its answer, or a client that reads an answer, however slowly. Single bytes of a
    head are not progress. If there are `MAX_CONNECTIONS`, a new connection closes the longest idle connection of the
    client with the most idle connections.
    """

    _timer: asyncio.TimerHandle | None = None
    _idle_since: float = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Make room for the connection, then do as uvicorn does. Without room, the connection is closed."""
        has_room = len(self.connections) < MAX_CONNECTIONS or self._make_room()
        super().connection_made(transport)
        self._idle_since = self.loop.time()
        self._look_again_after(self._progress())
        if not has_room:
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the timer, then do as uvicorn does."""
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """Note the time since which the connection is idle, then do as uvicorn does."""
        self._idle_since = self.loop.time()
        super().on_response_complete()

    def _make_room(self) -> bool:
        """Close the longest idle connection of the address with the most of them. Returns whether there was one."""
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
        """Whether a request is complete and the application works on its answer. The application limits that time.

        An answer that waits behind earlier unread ones does not count.
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
