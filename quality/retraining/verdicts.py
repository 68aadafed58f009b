"""Decides whether a model version is right more often than the previous one, or surer of itself. Pure.

Versions are compared on the cameras that ran both, camera by camera: the difference of their shares or means is weighed
by what both have there (N. Mantel and W. Haenszel, Journal of the National Cancer Institute 22, 1959; for differences
S. Greenland and J. M. Robins, Biometrics 41, 1985). Days resemble each other, and the cameras of a site share its days,
so the camera-days of one week are a cluster, and the two versions' variances between weeks are combined with Welch's
degrees of freedom (B. L. Welch, Biometrika 34, 1947). Where both versions run in the same weeks, what a week did to
both is taken out; a season between their weeks is not.

There is one look for each whole week: the first after four weeks, the last after thirteen. Each is at 99.6 %, so that
the ten looks at equal versions together are wrong in at most about 5 % (S. J. Pocock, Biometrika 64, 1977). How often
they are is measured in `benchmarks/drift`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import NormalDist
from typing import Literal

Metric = Literal["accuracy", "confidence"]
Answer = Literal[
    "later_is_better", "later_is_worse", "later_is_higher", "later_is_lower", "not_decided", "insufficient_data"
]

ERROR_OF_A_LOOK = 0.004
POWER = 0.80
# The smallest relevant difference of a share or a mean confidence.
RELEVANT_DIFFERENCE = 0.02
SMALLEST_LABELLED = 20
# Whole weeks of each version that a verdict needs, of the later one that it waits for at most, and of the earlier one
# before the later one began: older ones tell of another season.
FEWEST_WEEKS = 4
MOST_WEEKS = 13
WEEKS_BEFORE = 8

_Z_POWER = NormalDist().inv_cdf(POWER)
METRICS: tuple[Metric, ...] = ("accuracy", "confidence")
# What a version is called when it is shown to have more and less. A surer version is not a better one.
_ANSWERS: Mapping[Metric, tuple[Answer, Answer]] = {
    "accuracy": ("later_is_better", "later_is_worse"),
    "confidence": ("later_is_higher", "later_is_lower"),
}


@dataclass(frozen=True, slots=True)
class CameraDay:
    """A camera's UTC date under one version: `total` labelled events of which `right` are right, or 1 and a mean."""

    camera_id: str
    event_date: date
    right: float
    total: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """The comparison of two versions on one metric. Values are from 0 to 1; `difference` is later minus earlier.

    Samples are whole weeks. `more_needed` is how many weeks the smaller sample must grow to show the observed
    difference (at least `RELEVANT_DIFFERENCE`) with a power of 80 %, up to the last look; None if it is already shown.
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
        return "weeks"


@dataclass(frozen=True, slots=True)
class _Side:
    """A version on the compared cameras: days by camera, with the week of each."""

    days: Mapping[str, Sequence[tuple[int, CameraDay]]]

    @property
    def weeks(self) -> set[int]:
        return {week for own in self.days.values() for week, _ in own}

    def total(self, camera_id: str) -> int:
        return sum(day.total for _, day in self.days[camera_id])

    def value(self, camera_id: str) -> float:
        return math.fsum(day.right for _, day in self.days[camera_id]) / self.total(camera_id)

    def residuals(self, weights: Mapping[str, float]) -> dict[int, float]:
        """What each week adds to the weighed value beyond what the cameras' own values say."""
        parts: dict[int, list[float]] = {week: [] for week in self.weeks}
        for camera_id, weight in weights.items():
            value, total = self.value(camera_id), self.total(camera_id)
            for week, day in self.days[camera_id]:
                parts[week].append(weight * (day.right - value * day.total) / total)
        return {week: math.fsum(own) for week, own in parts.items()}


def compare(metric: Metric, earlier: Sequence[CameraDay], later: Sequence[CameraDay]) -> Verdict:
    """The verdict on one metric; the days may be in any order."""
    first, second = _sides(earlier, later)
    samples = (len(first.weeks), len(second.weeks))
    cameras = sorted(first.days.keys() & second.days.keys())
    totals = [sum(side.total(camera_id) for camera_id in cameras) for side in (first, second)]
    is_enough = metric == "confidence" or min(totals) >= SMALLEST_LABELLED
    if not cameras or min(samples) < FEWEST_WEEKS or not is_enough:
        missing = max(FEWEST_WEEKS - min(samples), 1)
        return Verdict(metric, None, None, None, None, None, *samples, "insufficient_data", missing)
    both = [(first.total(camera_id), second.total(camera_id)) for camera_id in cameras]
    raw = [one * other / (one + other) for one, other in both]
    weights = {camera_id: weight / math.fsum(raw) for camera_id, weight in zip(cameras, raw, strict=True)}
    values = [math.fsum(weights[one] * side.value(one) for one in cameras) for side in (first, second)]
    error, degrees = _error(first.residuals(weights), second.residuals(weights))
    if metric == "accuracy":  # a few labels, all of them right, prove no more than they can
        error = max(error, math.hypot(*(_binomial_error(*pair) for pair in zip(values, totals, strict=True))))
    room = error * _student(degrees) if error else 0.0
    difference = values[1] - values[0]
    bounds = (difference - room, difference + room)
    more, less = _ANSWERS[metric]
    answer: Answer = more if bounds[0] > 0 else less if bounds[1] < 0 else "not_decided"
    needed: int | None = None
    if answer == "not_decided":
        effect = max(abs(difference), RELEVANT_DIFFERENCE)
        growth = ((room + _Z_POWER * error) / effect) ** 2
        needed = max(min(math.ceil(growth * min(samples)), MOST_WEEKS) - min(samples), 0)
    return Verdict(metric, values[0], values[1], difference, *bounds, *samples, answer, needed)


def _sides(earlier: Sequence[CameraDay], later: Sequence[CameraDay]) -> tuple[_Side, _Side]:
    """Both versions on the cameras that ran both, in whole weeks counted from the later version's first day there."""
    cameras = {day.camera_id for day in earlier} & {day.camera_id for day in later}
    if not cameras:
        return _Side({}), _Side({})
    began = min(day.event_date for day in later if day.camera_id in cameras)
    ended = max(day.event_date for day in (*earlier, *later) if day.camera_id in cameras) + timedelta(days=1)
    whole = min((ended - began).days // 7, MOST_WEEKS)

    def side(days: Iterable[CameraDay]) -> dict[str, list[tuple[int, CameraDay]]]:
        found: dict[str, list[tuple[int, CameraDay]]] = {}
        for day in sorted(days, key=lambda one: (one.camera_id, one.event_date)):
            week = (day.event_date - began).days // 7
            if day.camera_id in cameras and day.total and -WEEKS_BEFORE <= week < whole:
                found.setdefault(day.camera_id, []).append((week, day))
        return found

    first, second = side(earlier), side(later)
    shared = first.keys() & second.keys()
    return (
        _Side({camera_id: first[camera_id] for camera_id in sorted(shared)}),
        _Side({camera_id: second[camera_id] for camera_id in sorted(shared)}),
    )


def _error(first: Mapping[int, float], second: Mapping[int, float]) -> tuple[float, float]:
    """The standard error of the difference and its degrees of freedom, from the weeks' residuals."""
    factors = [len(one) / (len(one) - 1) for one in (first, second)]
    squares = [math.fsum(value**2 for value in one.values()) for one in (first, second)]
    parts = [factor * square for factor, square in zip(factors, squares, strict=True)]
    shared = math.fsum(first[week] * second[week] for week in first.keys() & second.keys())
    variance = max(sum(parts) - 2 * math.sqrt(factors[0] * factors[1]) * shared, 0.0)
    if not sum(parts):
        return 0.0, math.inf
    spread = sum(part**2 / (len(one) - 1) for part, one in zip(parts, (first, second), strict=True))
    return math.sqrt(variance), sum(parts) ** 2 / spread


def _binomial_error(share: float, total: int) -> float:
    """The standard error of a share of so many events, with two of each kind added (Agresti and Coull 1998)."""
    middle = (share * total + 2) / (total + 4)
    return math.sqrt(middle * (1 - middle) / (total + 4))


def _student(degrees: float) -> float:
    """The quantile of Student's t for one look."""
    if math.isinf(degrees):
        return NormalDist().inv_cdf(1 - ERROR_OF_A_LOOK / 2)
    from scipy.special import stdtrit  # slow to import, and few batches need it

    return float(stdtrit(degrees, 1 - ERROR_OF_A_LOOK / 2))


def sentence(verdict: Verdict, earlier: str, later: str) -> str:
    """The verdict as a sentence; `earlier` and `later` name the versions."""
    samples = f"{verdict.earlier_sample:,} and {verdict.later_sample:,} {verdict.sample_unit}"
    if verdict.difference is None or verdict.difference_low is None or verdict.difference_high is None:
        return f"Too little to judge: {samples} on the same cameras, and {verdict.more_needed:,} more are needed."
    seen = (
        f"{verdict.metric} of {later} minus {earlier} is {100 * verdict.difference:+.1f} points "
        f"(95 % interval for all looks {100 * verdict.difference_low:+.1f} to {100 * verdict.difference_high:+.1f}, "
        f"from {samples} on the same cameras)"
    )
    told: dict[Answer, str] = {
        "later_is_better": f"{later} is better than {earlier}: {seen}.",
        "later_is_worse": f"{later} is worse than {earlier}: {seen}.",
        "later_is_higher": f"{later} is surer of itself than {earlier}, which does not make it better: {seen}.",
        "later_is_lower": f"{later} is less sure of itself than {earlier}: {seen}.",
    }
    more = f"about {verdict.more_needed:,} more weeks would tell" if verdict.more_needed else "more weeks hardly tell"
    return told.get(verdict.answer, f"Not decided: {seen}; {more}.")
