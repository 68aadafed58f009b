"""Trying again what a link or a server failed at: how often, after which waits. What failed is not known here."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

# Five waits of 0.4 to 6.4 s, 12 s in all: longer than a server's restart or a switch's hiccup. What is away for longer
# ends the batch with its sentence, and the next batch, which the schedule starts, does the rest.
ATTEMPTS = 6
FIRST_WAIT_SECONDS = 0.4

Result = TypeVar("Result")


def retrying(action: Callable[[], Result], is_passing: Callable[[Exception], bool]) -> Result:
    """The action's result, or its last error: one that does not pass by itself is raised at once.

    The waits double; each is taken between its half and the whole, so that what failed together does not return
    together.
    """
    for attempt in range(ATTEMPTS - 1):
        try:
            return action()
        except Exception as error:
            if not is_passing(error):
                raise
            time.sleep(FIRST_WAIT_SECONDS * 2**attempt * random.uniform(0.5, 1))
    return action()
