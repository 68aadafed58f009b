"""A client's connection, for as long as something goes on in it. What a request means is not known here.

A camera that loses its power in the middle of a request's head never says goodbye, and uvicorn would wait for the rest
for ever: such connections gather over weeks, until the process may open no more files and nobody is served. So would
answers gather that nobody reads. h11 is the parser, because it bounds the headers, which the faster one does not.
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

# The newest request, whether it is answered, and the bytes of answers that the client has still to read.
_Progress = tuple[RequestResponseCycle | None, bool, int]


class TimedConnection(H11Protocol):
    """Cut off when nothing moved for the time of the graceful end, which is longer than any request may take.

    Moving is a new request, its answer, or a client that reads one, however slowly; single bytes of a head are not.
    """

    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """As uvicorn's."""
        super().connection_made(transport)
        self._look_again_after(self._progress())

    def connection_lost(self, exc: Exception | None) -> None:
        """As uvicorn's."""
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)

    def _progress(self) -> _Progress:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle, cycle is not None and cycle.response_complete, self.transport.get_write_buffer_size()

    def _look_again_after(self, seen: _Progress) -> None:
        self._timer = self.loop.call_later(self.config.timeout_graceful_shutdown or 0, self._look, seen)

    def _look(self, seen: _Progress) -> None:
        now = self._progress()
        if now == seen:
            self.transport.abort()  # an orderly close would first wait until the client has read everything
        else:
            self._look_again_after(now)
