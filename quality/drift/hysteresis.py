"""Hysteresis: turns days of evidence into incidents that open, last and close, so that one fault is one alert.

There are two thresholds, as in a Schmitt trigger (Journal of Scientific Instruments 15, 1938). Several days of evidence
open an incident, and several clean days close it. Days that could not be judged count for neither.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Flags = NDArray[np.bool_]

OPEN_AFTER, OPEN_AMONG = 3, 5
CLOSE_AFTER = 3
# An incident ends if its cell could not be judged for this many days, for instance after a rollback of a version.
GONE_AFTER = 7


@dataclass(frozen=True, slots=True)
class Transitions:
    """For every cell and day, shape (cells, days): whether an incident opens, closes, or is open on that day."""

    opened: Flags
    closed: Flags
    is_open: Flags


def transitions(
    evidence: Flags,
    judged: Flags,
    *,
    strong: Flags | None = None,
    open_after: int = OPEN_AFTER,
    open_among: int = OPEN_AMONG,
    close_after: int = CLOSE_AFTER,
) -> Transitions:
    """The transitions of each cell on each day.

    An incident opens after `open_after` days of evidence among the last `open_among` judged days, or at once on a day
    with `strong` evidence. It closes after `close_after` judged days without evidence, or after `GONE_AFTER` days that
    could not be judged. All arrays have the shape (cells, days).
    """
    cells, days = evidence.shape
    opened, closed, is_open = (np.zeros((cells, days), dtype=bool) for _ in range(3))
    recent = np.zeros((cells, open_among), dtype=bool)
    clean, unheard = np.zeros(cells, dtype=np.int64), np.zeros(cells, dtype=np.int64)
    now = np.zeros(cells, dtype=bool)
    for day in range(days):
        seen = judged[:, day]
        bad = evidence[:, day] & seen
        recent[seen] = np.column_stack([recent[seen][:, 1:], bad[seen]])
        clean = np.where(bad, 0, clean + seen)
        unheard = np.where(seen, 0, unheard + 1)
        at_once = strong[:, day] & bad if strong is not None else np.zeros(cells, dtype=bool)
        opens = ~now & bad & ((recent.sum(axis=1) >= open_after) | at_once)
        closes = now & ((clean >= close_after) | (unheard >= GONE_AFTER))
        now = (now | opens) & ~closes
        recent[closes] = False
        opened[:, day], closed[:, day], is_open[:, day] = opens, closes, now
    return Transitions(opened, closed, is_open)
