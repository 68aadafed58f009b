"""Retries with exponential back-off and full jitter. The caller passes the clock and the random number."""

from __future__ import annotations

from dataclasses import dataclass

MAX_DOUBLINGS = 60  # more than any limit in seconds, and still finite


def delay_seconds(failures: int, base_seconds: float, max_seconds: float, chance: float) -> float:
    """The delay after the n-th failure in a row: `chance` (0 to 1) × min(max, base × 2^(n-1)) seconds.

    The whole range from 0 is used (full jitter), so that many gateways that failed together do not all try again at
    once.
    """
    if failures < 1:
        return 0.0
    return min(max_seconds, base_seconds * 2.0 ** min(failures - 1, MAX_DOUBLINGS)) * chance


@dataclass(slots=True)
class Backoff:
    """Failures in a row, and the monotonic time in seconds of the next attempt."""

    base_seconds: float
    max_seconds: float
    failures: int = 0
    next_attempt: float = 0.0

    def is_due(self, monotonic: float) -> bool:
        """Whether the next attempt is due."""
        return self.failures == 0 or monotonic >= self.next_attempt

    def failed(self, monotonic: float, chance: float) -> float:
        """Count a failure and return the seconds to wait."""
        self.failures += 1
        delay = delay_seconds(self.failures, self.base_seconds, self.max_seconds, chance)
        self.next_attempt = monotonic + delay
        return delay

    def succeeded(self) -> None:
        """Reset the count."""
        self.failures = 0
