"""When to try again after a failure: exponential, with full jitter. Clock and chance are passed in."""

from __future__ import annotations

from dataclasses import dataclass

MAX_DOUBLINGS = 60  # beyond any limit in seconds, and still a number


def delay_seconds(failures: int, base_seconds: float, max_seconds: float, chance: float) -> float:
    """How long to wait after the n-th failure in a row: anywhere from 0 to min(max, base × 2^(n-1)) seconds.

    `chance` is from 0 to 1. The whole range is used (full jitter): when a link comes back, a hundred gateways that
    failed together must not all knock at once.
    """
    if failures < 1:
        return 0.0
    return min(max_seconds, base_seconds * 2.0 ** min(failures - 1, MAX_DOUBLINGS)) * chance


@dataclass(slots=True)
class Backoff:
    """The failures in a row of one thing that is tried, and the monotonic instant (seconds) of the next attempt."""

    base_seconds: float
    max_seconds: float
    failures: int = 0
    next_attempt: float = 0.0

    def is_due(self, monotonic: float) -> bool:
        """Whether it may be tried."""
        return self.failures == 0 or monotonic >= self.next_attempt

    def failed(self, monotonic: float, chance: float) -> float:
        """Note a failure; gives the seconds to wait."""
        self.failures += 1
        delay = delay_seconds(self.failures, self.base_seconds, self.max_seconds, chance)
        self.next_attempt = monotonic + delay
        return delay

    def succeeded(self) -> None:
        """Begin anew."""
        self.failures = 0
