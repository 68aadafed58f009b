"""Decides whether a model version is better than the previous one, or how much more data is needed. Pure.

Accuracy: two shares of labelled events, compared by Newcombe's interval of a difference from the two Wilson intervals
(R. G. Newcombe, Interval estimation for the difference between independent proportions, Statistics in Medicine 17,
1998, method 10). Confidence: events of one shift resemble each other, so one day is one observation. The means of days
are compared by Welch's interval (B. L. Welch, Biometrika 34, 1947). All intervals have a confidence level of 95 %.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean, variance
from typing import Literal

Metric = Literal["accuracy", "confidence"]
Answer = Literal["later_is_better", "later_is_worse", "not_decided", "insufficient_data"]

CONFIDENCE_LEVEL = 0.95
POWER = 0.80
# The smallest relevant difference of a share or a mean confidence.
RELEVANT_DIFFERENCE = 0.02
SMALLEST_LABELLED = 20
SMALLEST_DAYS = 3

_Z = NormalDist().inv_cdf(0.5 + CONFIDENCE_LEVEL / 2)
_Z_POWER = NormalDist().inv_cdf(POWER)


@dataclass(frozen=True, slots=True)
class Labelled:
    """How often reviewers agree with a version: counts, and the Wilson interval of the share (0 to 1) from dbt."""

    labelled: int
    correct: int
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The comparison of two versions on one metric. Values are from 0 to 1; `difference` is later minus earlier.

    `more_needed` is how much the smaller sample must grow to show the observed difference (at least
    `RELEVANT_DIFFERENCE`) with a power of 80 %; None if the difference is already shown.
    """

    metric: Metric
    earlier_value: float | None
    later_value: float | None
    difference: float | None
    difference_low: float | None
    difference_high: float | None
    earlier_sample: int
    later_sample: int
    answer: Answer
    more_needed: int | None

    @property
    def sample_unit(self) -> str:
        """The unit of the samples."""
        return "labelled events" if self.metric == "accuracy" else "days"


def compare_accuracy(earlier: Labelled, later: Labelled) -> Verdict:
    """The verdict on labelled accuracy."""
    samples = (earlier.labelled, later.labelled)
    shares = [one.correct / one.labelled if one.labelled else None for one in (earlier, later)]
    first, second = shares
    if first is None or second is None or min(samples) < SMALLEST_LABELLED:
        needed = SMALLEST_LABELLED - min(samples)
        return Verdict("accuracy", first, second, None, None, None, *samples, "insufficient_data", max(needed, 0))
    assert earlier.low is not None
    assert earlier.high is not None
    assert later.low is not None
    assert later.high is not None
    difference = second - first
    low = difference - math.hypot(second - later.low, earlier.high - first)
    high = difference + math.hypot(later.high - second, first - earlier.low)
    needed = labelled_needed(first, second) - min(samples)
    return _verdict("accuracy", first, second, (low, high), samples, needed)


def labelled_needed(first: float, second: float) -> int:
    """The number of labelled events of each version that shows their difference with a power of 80 %.

    The formula is for two shares of equal samples (J. L. Fleiss, B. Levin, M. C. Paik, Statistical Methods for Rates
    and Proportions, 2003, 4.14, without the correction for continuity). The difference counts as at least
    `RELEVANT_DIFFERENCE`.
    """
    difference = max(abs(second - first), RELEVANT_DIFFERENCE)
    middle = (first + second) / 2
    middle = min(max(middle, difference / 2), 1 - difference / 2)
    lower, upper = middle - difference / 2, middle + difference / 2
    spread = _Z * math.sqrt(2 * middle * (1 - middle))
    spread += _Z_POWER * math.sqrt(lower * (1 - lower) + upper * (1 - upper))
    return math.ceil((spread / difference) ** 2)


def compare_confidence(earlier: Sequence[float], later: Sequence[float]) -> Verdict:
    """The verdict on mean confidence; each value is the mean of a day."""
    samples = (len(earlier), len(later))
    first, second = (fmean(days) if days else None for days in (earlier, later))
    if first is None or second is None or min(samples) < SMALLEST_DAYS:
        needed = SMALLEST_DAYS - min(samples)
        return Verdict("confidence", first, second, None, None, None, *samples, "insufficient_data", max(needed, 0))
    first_part, second_part = variance(earlier) / len(earlier), variance(later) / len(later)
    error = math.sqrt(first_part + second_part)
    room = error * _student(first_part, second_part, samples) if error else 0.0
    difference = second - first
    effect = max(abs(difference), RELEVANT_DIFFERENCE)
    needed = math.ceil((_Z + _Z_POWER) ** 2 * (variance(earlier) + variance(later)) / effect**2) - min(samples)
    return _verdict("confidence", first, second, (difference - room, difference + room), samples, needed)


def _student(first_part: float, second_part: float, samples: tuple[int, int]) -> float:
    """The quantile of Student's t for Welch's degrees of freedom."""
    from scipy.special import stdtrit  # slow to import, and few batches need it

    degrees = (first_part + second_part) ** 2 / (first_part**2 / (samples[0] - 1) + second_part**2 / (samples[1] - 1))
    return float(stdtrit(degrees, 0.5 + CONFIDENCE_LEVEL / 2))


def _verdict(
    metric: Metric, first: float, second: float, bounds: tuple[float, float], samples: tuple[int, int], needed: int
) -> Verdict:
    answer: Answer = "not_decided"
    if bounds[0] > 0:
        answer = "later_is_better"
    elif bounds[1] < 0:
        answer = "later_is_worse"
    more = max(needed, 0) if answer == "not_decided" else None
    return Verdict(metric, first, second, second - first, *bounds, *samples, answer, more)


def sentence(verdict: Verdict, earlier: str, later: str) -> str:
    """The verdict as a sentence; `earlier` and `later` name the versions."""
    samples = f"{verdict.earlier_sample:,} and {verdict.later_sample:,} {verdict.sample_unit}"
    if verdict.difference is None or verdict.difference_low is None or verdict.difference_high is None:
        return f"Too little to judge: {samples}, and {verdict.more_needed:,} more are needed of the smaller sample."
    seen = (
        f"{verdict.metric} of {later} minus {earlier} is {100 * verdict.difference:+.1f} points "
        f"(95 % interval {100 * verdict.difference_low:+.1f} to {100 * verdict.difference_high:+.1f}, from {samples})"
    )
    match verdict.answer:
        case "later_is_better":
            return f"{later} is better than {earlier}: {seen}."
        case "later_is_worse":
            return f"{later} is worse than {earlier}: {seen}."
        case _ if verdict.more_needed:
            return f"Not decided: {seen}; about {verdict.more_needed:,} more {verdict.sample_unit} would tell."
        case _:
            return (
                f"Not decided, though a difference of {100 * RELEVANT_DIFFERENCE:.0f} points would likely show: {seen}."
            )
