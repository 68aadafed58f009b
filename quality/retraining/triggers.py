"""When a model should be trained again. Pure: a model's newest days and labels in, findings out.

A trigger needs an effect and enough data; without the data its answer is `insufficient_data`, which asks for nothing.
Each can be switched off by a setting of 0. All look at the version that runs, as of the newest day of its events.
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

SMALLEST_DAY = 200  # events, as the checks of a day's confidence ask for
MIX_DAYS = 7
SMALLEST_MIX_DAYS = 3
SMALLEST_MIX = 1000  # events of those days together
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
    """What a trigger found: the value seen beside its limit, and the days or labels it comes from."""

    reason: Reason
    status: Status
    observed: float | None
    threshold: float
    sample_size: int
    sentence: str


def confidence_below_floor(days: Sequence[Day], floor: float, days_in_a_row: int) -> Finding:
    """Whether the mean confidence was under the floor on each of the newest days; days without events do not count."""
    newest = sorted(days, key=lambda day: day.event_date)[-days_in_a_row:]
    events = sum(day.event_count for day in newest)
    if len(newest) < days_in_a_row or min(day.event_count for day in newest) < SMALLEST_DAY:
        told = f"Too little to judge: {days_in_a_row} days of at least {SMALLEST_DAY} events are needed."
        return Finding("confidence", "insufficient_data", None, floor, events, told)
    highest = max(day.mean_confidence for day in newest)
    fires = highest < floor
    told = (
        f"The mean confidence of the last {days_in_a_row} days with events was at most {highest:.3f}; "
        f"the floor is {floor:.3f}."
    )
    return Finding("confidence", "fires" if fires else "quiet", highest, floor, events, told)


def event_mix_moved(days: Sequence[Day], baseline: Mapping[str, float], limit: float) -> Finding:
    """Whether the shares of the four types moved by more than the limit (total variation, half the sum of changes).

    The move must also show day by day: the mean over days of the share that moved, in the direction of the whole week,
    is more than twice its standard error above 0. One odd day moves the sum, not that.
    """
    newest = sorted(days, key=lambda day: day.event_date)[-MIX_DAYS:]
    newest = [day for day in newest if day.event_count]
    events = sum(day.event_count for day in newest)
    if len(newest) < SMALLEST_MIX_DAYS or events < SMALLEST_MIX:
        told = f"Too little to judge: {SMALLEST_MIX_DAYS} days and {SMALLEST_MIX:,} events are needed."
        return Finding("event_mix", "insufficient_data", None, limit, events, told)
    shares = {kind: sum(day.counts.get(kind, 0) for day in newest) / events for kind in baseline}
    moved = sum(abs(shares[kind] - baseline[kind]) for kind in baseline) / 2
    grown = [kind for kind in baseline if shares[kind] > baseline[kind]]
    daily = [sum(day.counts.get(kind, 0) / day.event_count - baseline[kind] for kind in grown) for day in newest]
    is_lasting = fmean(daily) > 2 * stdev(daily) / math.sqrt(len(daily))
    told = ", ".join(f"{kind} {shares[kind]:.1%} (baseline {baseline[kind]:.1%})" for kind in baseline)
    told = f"{moved:.1%} of the events of the last {len(newest)} days are of other types than the baseline: {told}."
    return Finding("event_mix", "fires" if moved > limit and is_lasting else "quiet", moved, limit, events, told)


def accuracy_too_low(labelled: int, correct: int, low: float | None, limit: float, smallest: int) -> Finding:
    """Whether the lower bound of the interval of human accuracy is under the limit.

    The bound, not the point: accuracy must be shown to reach the limit. So that a small sample, whose interval is
    wide, asks for nothing, at least `smallest` events must be labelled.
    """
    if labelled < smallest or low is None:
        told = f"Too little to judge: {labelled:,} events of {LABEL_DAYS} days are labelled, {smallest:,} are needed."
        return Finding("accuracy", "insufficient_data", low, limit, labelled, told)
    told = (
        f"People agree with {correct:,} of {labelled:,} events of {LABEL_DAYS} days ({correct / labelled:.1%}); "
        f"the lower bound of the 95 % interval is {low:.1%}, asked for is {limit:.1%}."
    )
    return Finding("accuracy", "fires" if low < limit else "quiet", low, limit, labelled, told)


def is_due(as_of: date, since: date, every_days: int) -> Finding:
    """Whether so many days have passed since the version began or the last request of this kind."""
    passed = (as_of - since) // timedelta(days=1)
    told = f"{passed} days have passed since {since}; a model is trained again every {every_days} days."
    return Finding("schedule", "fires" if passed >= every_days else "quiet", passed, every_days, passed, told)
