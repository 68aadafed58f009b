"""Triggers for retraining a model: findings from its newest days and labels. Pure.

A trigger fires if it has an effect and enough data. Without enough data its status is `insufficient_data`, which
requests nothing. A setting of 0 disables a trigger. All triggers judge the running version as of the newest day of its
events.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import fmean, stdev
from typing import Literal

import numpy as np

from quality.retraining.agreement import reviewers_error, upper_bound, without_reviewers_error

Reason = Literal["confidence", "event_mix", "accuracy", "schedule"]
Status = Literal["fires", "quiet", "insufficient_data"]

SMALLEST_DAY = 200  # events, as in the checks of a day's confidence
MIX_DAYS = 7
SMALLEST_MIX_DAYS = 3
SMALLEST_MIX = 1000  # events in all these days together
LABEL_DAYS = 30
SMALLEST_SHARED = 30  # events with two labels, to tell how often reviewers err


@dataclass(frozen=True, slots=True)
class Day:
    """A version's events of all cameras of one site on one UTC date. `counts` is by event type."""

    event_date: date
    mean_confidence: float
    counts: Mapping[str, int]

    @property
    def event_count(self) -> int:
        """The number of events of all types."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A version's labels of the review sample at a site.

    `labelled` and `correct` count events of the last `LABEL_DAYS`. `shares` are the shares of correct events (0 to 1)
    on each UTC date since the first label, NaN for a date without labels. `shared` counts the site's events that
    exactly two people labelled, `unanimous` those on which they agreed.
    """

    labelled: int = 0
    correct: int = 0
    shares: Sequence[float] = ()
    shared: int = 0
    unanimous: int = 0


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

    The change must also last over the days: the daily change, in the direction of the whole period, must have a mean of
    more than twice its standard error. One unusual day can move the sum, but it does not pass this test.
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


def accuracy_too_low(reviewed: Reviewed, limit: float, smallest: int) -> Finding:
    """Whether the accuracy is shown to be below the limit: the upper bound of a confidence sequence is below it.

    The sequence (`agreement`) is valid however often it is checked, so daily checks do not add false requests. If at
    least `SMALLEST_SHARED` events have two labels, the agreement is corrected for the reviewers' error rate. At least
    `smallest` events of `LABEL_DAYS` must be labelled.
    """
    labelled, correct = reviewed.labelled, reviewed.correct
    if labelled < smallest:
        sentence = (
            f"Too little to judge: {labelled:,} events of {LABEL_DAYS} days are labelled, {smallest:,} are needed."
        )
        return Finding("accuracy", "insufficient_data", None, limit, labelled, sentence)
    is_corrected = reviewed.shared >= SMALLEST_SHARED
    error = reviewers_error(reviewed.shared, reviewed.unanimous) if is_corrected else 0.0
    high = without_reviewers_error(upper_bound(np.array(reviewed.shares)), error)
    fires = high < limit
    corrected = f", corrected for reviewers, who err in {error:.1%}" if is_corrected else ""
    shown = "it is under it" if fires else "not shown to be under it"
    sentence = (
        f"People agree with {correct:,} of {labelled:,} sampled events of {LABEL_DAYS} days "
        f"({correct / labelled:.1%}); the accuracy is at most {high:.1%} "
        f"(95 % bound that holds for every look{corrected}), required is {limit:.1%}: {shown}."
    )
    return Finding("accuracy", "fires" if fires else "quiet", high, limit, labelled, sentence)


def is_due(as_of: date, since: date, every_days: int) -> Finding:
    """Whether `every_days` days have passed since the newest version began or the last request of this kind."""
    passed = (as_of - since) // timedelta(days=1)
    sentence = f"{passed} days have passed since {since}; a model is trained again every {every_days} days."
    return Finding("schedule", "fires" if passed >= every_days else "quiet", passed, every_days, passed, sentence)
