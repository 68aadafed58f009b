"""Retry with jitter for failures of a link or a server. Knows nothing about the action that failed."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt

# Five waits of 0.4 to 6.4 s, 12 s in all: longer than a server's restart or a switch's hiccup. A longer outage ends the
# batch with its message, and the next scheduled batch does the rest.
ATTEMPTS = 6
FIRST_WAIT_SECONDS = 0.4

Result = TypeVar("Result")


def retrying(action: Callable[[], Result], is_passing: Callable[[Exception], bool]) -> Result:
    """The action's result. Raises the last error, or at once an error that is not transient."""
    try:
        return action()  # without tenacity, whose overhead of 25 µs counts for tens of thousands of objects
    except Exception as error:  # noqa: BLE001  # tenacity raises it again where it does not pass
        failures = [error]

    def action_after_its_failure() -> Result:
        if failures:
            raise failures.pop()
        return action()

    return _policy(is_passing)(action_after_its_failure)


def _policy(is_passing: Callable[[Exception], bool]) -> Retrying:
    return Retrying(
        stop=stop_after_attempt(ATTEMPTS),
        wait=_wait_seconds,
        retry=retry_if_exception(lambda error: isinstance(error, Exception) and is_passing(error)),
        sleep=time.sleep,
        reraise=True,
    )


def _wait_seconds(state: RetryCallState) -> float:
    """The wait doubles each time. Jitter between half and all of it spreads requests that failed together."""
    return FIRST_WAIT_SECONDS * 2.0 ** (state.attempt_number - 1) * random.uniform(0.5, 1)
