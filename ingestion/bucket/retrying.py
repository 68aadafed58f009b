"""Trying again what a link or a server failed at: how often, after which waits. What failed is not known here."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt

# Five waits of 0.4 to 6.4 s, 12 s in all: longer than a server's restart or a switch's hiccup. What is away for longer
# ends the batch with its sentence, and the next batch, which the schedule starts, does the rest.
ATTEMPTS = 6
FIRST_WAIT_SECONDS = 0.4

Result = TypeVar("Result")


def retrying(action: Callable[[], Result], is_passing: Callable[[Exception], bool]) -> Result:
    """The action's result, or its last error: one that does not pass by itself is raised at once."""
    try:
        return action()  # without tenacity, which takes 25 µs: a bucket is asked for tens of thousands of objects
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
    """Twice as long each time; anywhere between the half and the whole, so that what failed together returns apart."""
    return FIRST_WAIT_SECONDS * 2.0 ** (state.attempt_number - 1) * random.uniform(0.5, 1)
