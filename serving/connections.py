"""A client's connection, for as long as something goes on in it. What a request means is not known here.

A client that loses its power in the middle of a request's head never says goodbye, and uvicorn would wait for the rest
for ever: such connections gather over weeks, until the process may open no more files and nobody is served. So would
answers gather that nobody reads. h11 is the parser, because it bounds the headers, which the faster one does not.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import cast

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

# More than the plants that this is made for have readers and cameras; each takes a file and some 20 KB of memory.
MAX_CONNECTIONS = 4096

# The newest request, whether it is answered, and the bytes of answers that the client has still to read.
_Progress = tuple[RequestResponseCycle | None, bool, int]


class TimedConnection(H11Protocol):
    """Cut off when nothing moved for the time of the graceful end, which is longer than any request may take.

    Moving is a new request, the making of its answer, or a client that reads one, however slowly; single bytes of a
    head are not.
    Where there are too many connections, those of the client that has most of them make room, idle ones only.
    """

    _timer: asyncio.TimerHandle | None = None
    _idle_since: float = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """As uvicorn's, with room for it."""
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
        """Cut off the connection that has been idle for longest, of the address that has the most idle ones."""
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
        """Whether a request is here as a whole and its answer is being made, which the application bounds itself.

        An answer that waits behind earlier ones, which the client does not read, is made already.
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
            self.transport.abort()  # an orderly close would first wait until the client has read everything
        else:
            self._look_again_after(now)
