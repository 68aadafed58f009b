"""Compares a day and a week with the cell's own previous weeks, using the variance between the cell's own days.

Events of one camera depend on each other: states last, and light changes with the hour. If they were treated as
independent, every day would be significant. So the unit is the day. The variance of a day is the variance between days
of the same cell after the weekday effect is removed, whatever causes it (Moulton, "An illustration of a pitfall in
estimating the effects of aggregate variables on micro units", Review of Economics and Statistics 72, 1990).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

WINDOW_DAYS = 7
# The reference ends a week before the judged week, so that a camera that turns slowly does not become its own
# reference.
GAP_DAYS = 7
REFERENCE_DAYS = 42
SMALLEST_REFERENCE_DAYS = 14
SMALLEST_WINDOW_DAYS = 4
# A weekday effect needs at least this many days of that weekday; with fewer, it stays in the variance.
SMALLEST_WEEKDAYS = 3
# The cut-off of Huber's estimator. With it, one unusual day does not cause a week of alarms or hide a month of drift.
CLIP = 3.0
# Events come in runs, because states last. About this many events carry the information of one independent event.
RUN = 10
# The weight, in days, of the prior variance that a cell borrows from its site (Smyth, "Linear models and empirical
# Bayes methods", Statistical Applications in Genetics and Molecular Biology 3, 2004), and of correlation between days.
PRIOR_DAYS = 8.0
PRIOR_CORRELATION, PRIOR_CORRELATION_CELLS = 0.3, 2.0
HIGHEST_CORRELATION = 0.8


@dataclass(frozen=True, slots=True)
class Comparison:
    """Arrays of the shape (cells, days), NaN if there is too little data to compare.

    `day` is the day's value minus the expected value of its weekday; `week` is the median of seven such differences.
    Both are in the panel's unit. `day_t` and `week_t` are their Student statistics, `degrees` the degrees of freedom.
    `expected` is the reference's level for the day, `deviation` the standard deviation of a day.
    """

    day: Floats
    day_t: Floats
    week: Floats
    week_t: Floats
    degrees: Floats
    expected: Floats
    deviation: Floats


@dataclass(frozen=True, slots=True)
class Held:
    """Frozen references and excluded days, so that an open or past fault never becomes the normal level.

    `ends` (cells) is the column before which a frozen reference ends; -1 for a reference that rolls with the day.
    `barred` (cells, days) marks days that must not be reference.
    """

    ends: Ints
    barred: NDArray[np.bool_]

    def rows(self, cells: Ints) -> Held:
        """The same for the given cells only."""
        return Held(self.ends[cells], self.barred[cells])


def reference_end(day: int) -> int:
    """The column before which the rolling reference of a judged day ends."""
    return day - GAP_DAYS - WINDOW_DAYS + 1


def reference_columns(day: int, held: Held) -> Ints:
    """The columns of each cell's reference for a judged day, shape (cells, `REFERENCE_DAYS`); -1 for a day left out.

    A frozen reference keeps its days. They are rotated so that each has the weekday of the rolling reference's column.
    The reference consists of whole weeks, so the rotation loses no day.
    """
    rolling = reference_end(day)
    ends = np.where(held.ends < 0, rolling, np.minimum(held.ends, rolling))[:, None]
    columns = ends - REFERENCE_DAYS + (np.arange(REFERENCE_DAYS) + (rolling - ends) % 7) % REFERENCE_DAYS
    inside = columns >= 0
    barred = np.take_along_axis(held.barred, np.where(inside, columns, 0), axis=1)
    chosen: Ints = np.where(inside & ~barred, columns, -1)
    return chosen


def taken(values: Floats, columns: Ints, nothing: float = np.nan) -> Floats:
    """The values (cells, days, …) at each cell's columns; `nothing` for a column of -1."""
    found = values[np.arange(len(values))[:, None], np.maximum(columns, 0)]
    missing = (columns < 0).reshape(*columns.shape, *[1] * (values.ndim - 2))
    chosen: Floats = np.where(missing, nothing, found)
    return chosen


def compare_with_reference(
    values: Floats,
    counts: Floats,
    weekdays: Ints,
    groups: Ints,
    prior_deviation: float,
    first_day: int = 0,
    held: Held | None = None,
) -> Comparison:
    """Compare every day from `first_day` on with the reference before it.

    `values` and `counts` (events) have the shape (cells, days), with days without gaps and NaN for days that are not
    judged. `weekdays` is 0 (Monday) to 6 for each day. `groups` is the number of each cell's site. `prior_deviation` is
    the assumed standard deviation of a day if no cell of a site has history. `held` freezes references.
    """
    values, counts = np.asarray(values, dtype=np.float64), np.asarray(counts, dtype=np.float64)
    cells, days = values.shape
    results = np.full((7, cells, days), np.nan)
    for day in range(first_day, days):
        window = slice(max(0, day - WINDOW_DAYS + 1), day + 1)
        if held is None:
            before = slice(max(0, reference_end(day) - REFERENCE_DAYS), max(0, reference_end(day)))
            reference = (values[:, before], counts[:, before], weekdays[before])
        else:
            columns = reference_columns(day, held)
            of_columns = (weekdays[0] + reference_end(day) - REFERENCE_DAYS + np.arange(REFERENCE_DAYS)) % 7
            reference = (taken(values, columns), taken(counts, columns, 0.0), of_columns)
        results[:, :, day] = _compare_one(
            *reference,
            values[:, window],
            counts[:, window],
            weekdays[window],
            groups,
            prior_deviation,
        )
    return Comparison(*results)


def compare_shares(
    shares: Floats,
    counts: Floats,
    weekdays: Ints,
    groups: Ints,
    prior_deviation: float,
    first_day: int = 0,
    held: Held | None = None,
    *,
    scale: Scale,
    rises: bool = False,
    smoothed: bool = True,
) -> Comparison:
    """Compare shares (0 to 1) of each day's `counts` on `scale`. The returned differences are shares again.

    Shares near 0 or 1 have a skewed distribution over days: a few days lie far out on one side, and Student's test
    would report them as drift. On the scale they are nearly symmetric. If `smoothed`, half a run of events is added on
    both sides; means and shares of time are not smoothed. With `rises`, the sign of the shares is reversed, so that a
    rise is tested. `prior_deviation` and `deviation` are on the scale.
    """
    sign = -1.0 if rises else 1.0
    values = scale.there((shares * counts + RUN / 2) / (counts + RUN) if smoothed else shares)
    seen = compare_with_reference(sign * values, counts, weekdays, groups, prior_deviation, first_day, held)
    expected = sign * scale.back(sign * seen.expected)
    day, week = (sign * scale.back(sign * (seen.expected + moved)) - expected for moved in (seen.day, seen.week))
    return replace(seen, day=day, week=week, expected=expected)


@dataclass(frozen=True, slots=True)
class Scale:
    """A scale of shares: the transformation and its inverse."""

    there: Callable[[Floats], Floats]
    back: Callable[[Floats], Floats]


def _logit(shares: Floats) -> Floats:
    odds: Floats = special.logit(np.clip(shares, 0.001, 0.999))
    return odds


# LOGIT is the logarithm of the odds, for shares that vary from day to day (J. Berkson, "Application of the logistic
# function to bio-assay", JASA 39, 1944). ANGLE is for shares of few runs of events, which can be 0 on a day (F. J.
# Anscombe, "The transformation of Poisson, binomial and negative-binomial data", Biometrika 35, 1948).
LOGIT = Scale(_logit, special.expit)
ANGLE = Scale(lambda shares: np.arcsin(np.sqrt(shares)), lambda angles: np.sin(np.clip(angles, 0, np.pi / 2)) ** 2)


def variance_inflation(correlation: Floats | float, days: Floats) -> Floats:
    """The variance of a mean of `days` days of an AR(1) series, divided by that of independent days.

    1 + 2 Σ (1 - lag/days) correlation^lag (Bartlett 1946; Bence, "Analysis of short time series", Ecology 76, 1995).
    """
    lags = np.arange(1, WINDOW_DAYS)
    shares = np.clip(1 - lags / np.asarray(days, dtype=np.float64)[..., None], 0, None)
    inflation: Floats = 1 + 2 * (shares * np.asarray(correlation)[..., None] ** lags).sum(axis=-1)
    return inflation


def _compare_one(
    reference: Floats,
    reference_counts: Floats,
    reference_weekdays: Ints,
    window: Floats,
    window_counts: Floats,
    window_weekdays: Ints,
    groups: Ints,
    prior_deviation: float,
) -> tuple[Floats, ...]:
    level, size, is_by_weekday = _levels(reference, reference_weekdays)
    known = np.isfinite(reference)
    reference_days = known.sum(axis=1)
    residuals = np.where(known, reference - level[:, reference_weekdays], 0.0)
    degrees = np.maximum(reference_days - np.where(is_by_weekday, (size > 0).sum(axis=1), 1), 0)
    variance = _clipped_variance(residuals, degrees)
    pooled = _pooled(variance, degrees, groups, prior_deviation)
    variance = (PRIOR_DAYS * pooled + degrees * np.where(degrees > 0, variance, 0.0)) / (PRIOR_DAYS + degrees)
    deviation = np.sqrt(variance)
    correlation = _correlation(np.clip(residuals, -CLIP * deviation[:, None], CLIP * deviation[:, None]), known, groups)

    differences = window - level[:, window_weekdays]
    with np.errstate(invalid="ignore", divide="ignore"):
        usual = np.nansum(reference_counts * known, axis=1) / np.maximum(reference_days, 1)
        inflation = np.maximum(1.0, usual[:, None] / window_counts)
        # The variance of the reference mean itself. A weekday's mean is based on few days, which are a week apart.
        serial = (1 + correlation) / (1 - correlation)
        of_day = np.where(is_by_weekday, 1 / size[:, window_weekdays[-1]], serial / reference_days)
        day = differences[:, -1]
        day_t = day / (deviation * np.sqrt(inflation[:, -1] + of_day))
        judged = np.isfinite(differences)
        judged_days = judged.sum(axis=1)
        clipped = np.clip(np.where(judged, differences, 0.0), -CLIP * deviation[:, None], CLIP * deviation[:, None])
        mean = clipped.sum(axis=1) / judged_days
        mean_inflation = np.where(judged, inflation, 0.0).sum(axis=1) / judged_days
        of_week = mean_inflation * variance_inflation(correlation, judged_days) / judged_days
        week_t = mean / (deviation * np.sqrt(of_week + serial / reference_days))
    enough = reference_days >= SMALLEST_REFERENCE_DAYS
    enough_week = enough & (judged_days >= SMALLEST_WINDOW_DAYS)
    week = row_median(np.where(enough_week[:, None], differences, np.nan))
    nothing = np.full(len(reference), np.nan)
    return (
        np.where(enough, day, nothing),
        np.where(enough, day_t, nothing),
        week,
        np.where(enough_week, week_t, nothing),
        PRIOR_DAYS + degrees,
        np.where(reference_days > 0, level[:, window_weekdays[-1]], nothing),
        deviation,
    )


def _levels(reference: Floats, weekdays: Ints) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """The expected value of each weekday (cells, 7), the number of its days, and whether weekdays are separated."""
    known = np.isfinite(reference)
    filled = np.where(known, reference, 0.0)
    is_weekday = (weekdays[:, None] == np.arange(7)).astype(np.float64)
    size = known @ is_weekday
    days = known.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        overall = filled.sum(axis=1) / days
        by_weekday = (filled @ is_weekday) / size
    smallest = np.where(size > 0, size, np.inf).min(axis=1, initial=np.inf)
    is_by_weekday = np.isfinite(smallest) & (smallest >= SMALLEST_WEEKDAYS)
    use = is_by_weekday[:, None] & (size > 0)
    return np.where(use, by_weekday, overall[:, None]), np.where(use, size, days[:, None]), is_by_weekday


def _clipped_variance(residuals: Floats, degrees: Ints) -> Floats:
    """The variance of a day, with residuals clipped at `CLIP` deviations (Huber, "Robust Statistics", 1981)."""
    variance: Floats = (residuals**2).sum(axis=1) / np.maximum(degrees, 1)
    for _ in range(3):
        limit = CLIP * np.sqrt(variance)[:, None]
        variance = (np.clip(residuals, -limit, limit) ** 2).sum(axis=1) / np.maximum(degrees, 1)
    return variance


def _pooled(variance: Floats, degrees: Ints, groups: Ints, prior_deviation: float) -> Floats:
    """For each cell, its site's variance of a day.

    It is the mean over the site's cells and the prior, weighted by degrees of freedom and `PRIOR_DAYS`.
    """
    count = int(groups.max(initial=-1)) + 1
    total = np.bincount(groups, weights=degrees * variance, minlength=count)
    weight = np.bincount(groups, weights=degrees, minlength=count)
    pooled: Floats = (total + PRIOR_DAYS * prior_deviation**2) / (weight + PRIOR_DAYS)
    return pooled[groups]


def _correlation(residuals: Floats, known: NDArray[np.bool_], groups: Ints) -> Floats:
    """The correlation of neighbouring days, estimated over a site's cells and shrunk towards the prior."""
    count = int(groups.max(initial=-1)) + 1
    both = known[:, 1:] & known[:, :-1]
    together = np.bincount(groups, weights=(residuals[:, 1:] * residuals[:, :-1] * both).sum(axis=1), minlength=count)
    alone = np.bincount(groups, weights=(residuals[:, 1:] ** 2 * both).sum(axis=1), minlength=count)
    cells = np.bincount(groups, weights=both.any(axis=1), minlength=count)
    seen = np.divide(together, alone, out=np.zeros(count), where=alone > 0)
    drawn = (cells * seen + PRIOR_CORRELATION_CELLS * PRIOR_CORRELATION) / (cells + PRIOR_CORRELATION_CELLS)
    return np.clip(drawn, 0.0, HIGHEST_CORRELATION)[groups]


def row_median(values: Floats) -> Floats:
    """The median of each row without NaNs (numpy's own is slow on many short rows); NaN for a row without values."""
    ordered = np.sort(values, axis=1)  # NaNs come last
    size = np.isfinite(ordered).sum(axis=1)
    rows = np.arange(len(ordered))
    median: Floats = 0.5 * (ordered[rows, np.maximum(size - 1, 0) // 2] + ordered[rows, size // 2 % ordered.shape[1]])
    return median
