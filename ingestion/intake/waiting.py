"""How much may wait at once: requests whose bodies are being read, judged or written, and the bytes they hold.

A bound on both keeps the memory bounded; what does not fit is sent away at once instead of waiting without an end.
"""

from __future__ import annotations

from types import TracebackType


class TooManyWaiting(Exception):
    """There is no room; the text is a sentence that says of what."""


class Waiting:
    """The requests and bytes that wait now, within their limits."""

    def __init__(self, max_requests: int, max_bytes: int) -> None:
        self.max_requests = max_requests
        self.max_bytes = max_bytes
        self.requests = 0
        self.bytes = 0

    def place(self) -> Place:
        """A place for one request, held for the length of a `with` block. Raises `TooManyWaiting`."""
        return Place(self)


class Place:
    """One request's share of what waits."""

    def __init__(self, waiting: Waiting) -> None:
        self._waiting = waiting
        self._bytes = 0

    def __enter__(self) -> Place:
        if self._waiting.requests >= self._waiting.max_requests:
            raise TooManyWaiting(f"{self._waiting.max_requests} requests are waiting already; send it again later.")
        self._waiting.requests += 1
        return self

    def hold(self, size: int) -> None:
        """Hold so many bytes in all. Raises `TooManyWaiting`."""
        more = max(size - self._bytes, 0)
        if self._waiting.bytes + more > self._waiting.max_bytes:
            raise TooManyWaiting(f"Requests of {self._waiting.bytes} bytes are waiting already; send it again later.")
        self._waiting.bytes += more
        self._bytes += more

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._waiting.requests -= 1
        self._waiting.bytes -= self._bytes
        self._bytes = 0
