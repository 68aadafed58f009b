"""Triggers for retraining a model. Pure: a model's newest days and labels in, findings out.

A trigger needs an effect and enough data; without enough data it gives `insufficient_data`, which requests nothing. A
setting of 0 disables a trigger. All triggers judge the running version as of the newest day of its events.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import fmean, stdev
from typing import Literal

Reason = Literal["confidence", "event_mix", "accuracy", "schedule"]
Status = Literal["fires", "quiet", "insufficient_data"]

SMALLEST_DAY = 200  # events, as in the checks of a day's confidence
MIX_DAYS = 7
SMALLEST_MIX_DAYS = 3
SMALLEST_MIX = 1000  # events in all these days together
LABEL_DAYS = 30


@dataclass(frozen=True, slots=True)
class Day:
    """A version's events of one site and UTC date, all cameras together; `counts` by event type."""

    event_date: date
    mean_confidence: float
    counts: Mapping[str, int]

    @property
    def event_count(self) -> int:
        """All types."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class Finding:
    """A trigger's finding: the observed value, its limit, and the days or labels it is based on."""

    reason: Reason
    status: Status
    observed: float | None
    threshold: float
    sample_size: int
    sentence: str


def confidence_below_floor(days: Sequence[Day], floor: float, days_in_a_row: int) -> Finding:
    """Whether the mean confidence was below the floor on each of the newest days with events."""
    newest = sorted(days, key=lambda day: day.event_date)[-days_in_a_row:]
    events = sum(day.event_count for day in newest)
    if len(newest) < days_in_a_row or min(day.event_count for day in newest) < SMALLEST_DAY:
        sentence = f"Too little to judge: {days_in_a_row} days of at least {SMALLEST_DAY} events are needed."
        return Finding("confidence", "insufficient_data", None, floor, events, sentence)
    highest = max(day.mean_confidence for day in newest)
    fires = highest < floor
    sentence = (
        f"The mean confidence of the last {days_in_a_row} days with events was at most {highest:.3f}; "
        f"the floor is {floor:.3f}."
    )
    return Finding("confidence", "fires" if fires else "quiet", highest, floor, events, sentence)


def event_mix_moved(days: Sequence[Day], baseline: Mapping[str, float], limit: float) -> Finding:
    """Whether the shares of the four types moved by more than the limit (total variation, half the sum of changes).

    The change must also show day by day: the mean over days of the changed share, in the direction of the whole period,
    must be more than twice its standard error above 0. One unusual day changes the sum but not this mean.
    """
    newest = sorted(days, key=lambda day: day.event_date)[-MIX_DAYS:]
    newest = [day for day in newest if day.event_count]
    events = sum(day.event_count for day in newest)
    if len(newest) < SMALLEST_MIX_DAYS or events < SMALLEST_MIX:
        sentence = f"Too little to judge: {SMALLEST_MIX_DAYS} days and {SMALLEST_MIX:,} events are needed."
        return Finding("event_mix", "insufficient_data", None, limit, events, sentence)
    shares = {kind: sum(day.counts.get(kind, 0) for day in newest) / events for kind in baseline}
    moved = sum(abs(shares[kind] - baseline[kind]) for kind in baseline) / 2
    grown = [kind for kind in baseline if shares[kind] > baseline[kind]]
    daily = [sum(day.counts.get(kind, 0) / day.event_count - baseline[kind] for kind in grown) for day in newest]
    is_lasting = fmean(daily) > 2 * stdev(daily) / math.sqrt(len(daily))
    shown = ", ".join(f"{kind} {shares[kind]:.1%} (baseline {baseline[kind]:.1%})" for kind in baseline)
    sentence = (
        f"{moved:.1%} of the events of the last {len(newest)} days are of other types than the baseline: {shown}."
    )
    return Finding("event_mix", "fires" if moved > limit and is_lasting else "quiet", moved, limit, events, sentence)


def accuracy_too_low(labelled: int, correct: int, low: float | None, limit: float, smallest: int) -> Finding:
    """Whether the lower bound of the interval of the labelled accuracy is below the limit.

    The bound is used, not the estimate, because the accuracy must be shown to reach the limit. At least `smallest`
    events must be labelled, so that a small sample with its wide interval requests nothing.
    """
    if labelled < smallest or low is None:
        sentence = (
            f"Too little to judge: {labelled:,} events of {LABEL_DAYS} days are labelled, {smallest:,} are needed."
        )
        return Finding("accuracy", "insufficient_data", low, limit, labelled, sentence)
    sentence = (
        f"People agree with {correct:,} of {labelled:,} events of {LABEL_DAYS} days ({correct / labelled:.1%}); "
        f"the lower bound of the 95 % interval is {low:.1%}, required is {limit:.1%}."
    )
    return Finding("accuracy", "fires" if low < limit else "quiet", low, limit, labelled, sentence)


def is_due(as_of: date, since: date, every_days: int) -> Finding:
    """Whether the set number of days has passed since the version began or since the last request of this kind."""
    passed = (as_of - since) // timedelta(days=1)
    sentence = f"{passed} days have passed since {since}; a model is trained again every {every_days} days."
    return Finding("schedule", "fires" if passed >= every_days else "quiet", passed, every_days, passed, sentence)
