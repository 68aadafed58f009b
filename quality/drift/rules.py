"""The decisions about cameras' days: observed and expected values, effect, significance and evidence.

Every rule requires a relevant effect *and* significance at `ALPHA` after correction for all cells of the site. It does
not judge a sample below the smallest. Each rule tests the day alone and the week that ends with it, and corrects for
the two tests. In the arguments, `sites` is the number of each cell's site, `first_day` the first judged column.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from quality.drift import distances, reference
from quality.drift.reference import (
    ANGLE,
    LOGIT,
    Comparison,
    Floats,
    Held,
    Ints,
    compare_shares,
    compare_with_reference,
    variance_inflation,
)
from quality.drift.significance import (
    adjust_for_cells,
    chi_square_p,
    design_effect,
    smallest_of,
    student_p,
)

Flags = NDArray[np.bool_]

# The probability of a false alarm of one rule on one day of one site, before hysteresis. The weeks of 365 days overlap,
# so about a hundred days are independent. Seven rules on these cause less than one false alert per site and year.
ALPHA = 0.01
# The fewest events of a cell's day; with fewer the result is `insufficient_data`.
SMALLEST_SAMPLE = 200

SMALLEST_DROP = 0.02  # of a mean confidence, in its own unit
STRONG_DROP = 0.10  # one day with this effect opens an incident
SMALLEST_DISTANCE = 0.03  # Wasserstein-1 of a week's confidence, in its own unit
LOW_CONFIDENCE = 0.60
SMALLEST_RISE = 0.05  # of the share of events below LOW_CONFIDENCE
SMALLEST_SHIFT = 0.05  # total variation of a camera's own event mix
BASELINE_SHIFT = 0.15  # total variation from the baseline
SMALLEST_FALL = 0.50  # of a camera's events, beside the other cameras of its site
SMALLEST_GAP = 0.25  # of the scheduled time that a camera covers
SMALLEST_DELAY = 0.20  # of the share of events that are late
DISTRIBUTION_EDGES = np.array([0.3, 0.5, 0.6, 0.7, 0.8, 0.86, 0.9, 0.94, 0.98])

# The assumed deviation of a day before a site has history (from the simulated cameras of benchmarks/drift).
# Means, covered time and late shares are on the logistic scale. Shares of low confidence and of the mix are angles. The
# volume is on the logarithmic scale.
PRIOR_MEAN_DEVIATION = 0.20
PRIOR_ANGLE_DEVIATION = 0.05
PRIOR_EDGE_DEVIATION = 0.03
PRIOR_VOLUME_DEVIATION = 0.30
PRIOR_COVERAGE_DEVIATION = 0.80
PRIOR_DESIGN_EFFECT, PRIOR_DESIGN_DAYS = 10.0, 4.0
# The ratio of the variance of a median to that of a mean, for independent normal values.
MEDIAN_INFLATION = np.pi / 2


@dataclass(frozen=True, slots=True)
class Judgement:
    """For every cell and day, shape (cells, days).

    `observed` and `expected` are in the rule's unit. `effect` is their signed or absolute difference. `p` is corrected
    for both horizons and all cells. `expected`, `effect` and `p` are NaN if not `judged`. `evidence` counts towards an
    incident; a `strong` day opens one by itself. `back` is a day that counts as recovered: its effect is less than half
    of the required one, or within the limit of a rule with a limit.
    """

    observed: Floats
    expected: Floats
    effect: Floats
    p: Floats
    judged: Flags
    evidence: Flags
    strong: Flags
    back: Flags


def only_enough(values: Floats, counts: Floats, smallest: float = SMALLEST_SAMPLE) -> Floats:
    """The values of days with the smallest sample, NaN for the others."""
    return np.where(counts >= smallest, values, np.nan)


def drop_of_mean(
    means: Floats, counts: Floats, weekdays: Ints, sites: Ints, first_day: int = 0, held: Held | None = None
) -> Judgement:
    """Mean confidence (cells, days) compared with the cell's own previous weeks, one-sided: finds a less sure model."""
    seen = compare_shares(
        only_enough(means, counts),
        counts,
        weekdays,
        sites,
        PRIOR_MEAN_DEVIATION,
        first_day,
        held,
        scale=LOGIT,
        smoothed=False,
    )
    p, effect = _either_horizon(seen, two_sided=False)
    adjusted = adjust_for_cells(p, sites)
    strong = (adjusted < ALPHA) & (effect <= -STRONG_DROP)
    return _judgement(
        means, seen.expected, effect, adjusted, effect <= -SMALLEST_DROP, effect > -SMALLEST_DROP / 2, strong
    )


def rise_of_low_confidence(
    shares: Floats, counts: Floats, weekdays: Ints, sites: Ints, first_day: int = 0, held: Held | None = None
) -> Judgement:
    """The share of events below `LOW_CONFIDENCE` (cells, days) compared with its own previous weeks, one-sided."""
    enough = only_enough(shares, counts)
    seen = compare_shares(
        enough, counts, weekdays, sites, PRIOR_ANGLE_DEVIATION, first_day, held, scale=ANGLE, rises=True
    )
    p, effect = _either_horizon(seen, two_sided=False)
    return _judgement(
        shares,
        -seen.expected,
        -effect,
        adjust_for_cells(p, sites),
        -effect >= SMALLEST_RISE,
        -effect < SMALLEST_RISE / 2,
    )


def fall_of_coverage(
    coverage: Floats, weekdays: Ints, sites: Ints, first_day: int = 0, held: Held | None = None
) -> Judgement:
    """The covered share of the scheduled time compared with the cell's own previous weeks, one-sided.

    `coverage` has the shape (cells, days), NaN for days without scheduled time.
    """
    whole = np.where(np.isfinite(coverage), 1.0, 0.0)
    seen = compare_shares(
        coverage, whole, weekdays, sites, PRIOR_COVERAGE_DEVIATION, first_day, held, scale=LOGIT, smoothed=False
    )
    p, effect = _either_horizon(seen, two_sided=False)
    return _judgement(
        coverage, seen.expected, effect, adjust_for_cells(p, sites), effect <= -SMALLEST_GAP, effect > -SMALLEST_GAP / 2
    )


def rise_of_lateness(
    shares: Floats, counts: Floats, weekdays: Ints, sites: Ints, first_day: int = 0, held: Held | None = None
) -> Judgement:
    """The share of late events (cells, days) compared with the cell's own previous weeks, one-sided."""
    enough = only_enough(shares, counts)
    seen = compare_shares(
        enough, counts, weekdays, sites, PRIOR_COVERAGE_DEVIATION, first_day, held, scale=LOGIT, rises=True
    )
    p, effect = _either_horizon(seen, two_sided=False)
    return _judgement(
        shares,
        -seen.expected,
        -effect,
        adjust_for_cells(p, sites),
        -effect >= SMALLEST_DELAY,
        -effect < SMALLEST_DELAY / 2,
    )


def below_floor(
    means: Floats,
    counts: Floats,
    weekdays: Ints,
    sites: Ints,
    floor: float,
    first_day: int = 0,
    held: Held | None = None,
) -> Judgement:
    """Mean confidence (cells, days) compared with the floor, one-sided. Significance uses the cell's own deviation.

    Every value below the floor is a large enough effect. A week is represented by its median day, with the variance of
    a median of correlated days.
    """
    values = LOGIT.there(only_enough(means, counts))
    limit = float(LOGIT.there(np.array(floor)))
    seen = compare_with_reference(values, counts, weekdays, sites, PRIOR_MEAN_DEVIATION, first_day=first_day, held=held)
    week, days = _trailing_median(values, first_day)
    with np.errstate(invalid="ignore", divide="ignore"):
        day_t = (values - limit) / seen.deviation
        inflation = variance_inflation(reference.PRIOR_CORRELATION, np.maximum(days, 1))
        week_t = (week - limit) / (seen.deviation * np.sqrt(MEDIAN_INFLATION * inflation / days))
    day_p = student_p(day_t, seen.degrees, two_sided=False)
    week_p = np.where(days >= reference.SMALLEST_WINDOW_DAYS, student_p(week_t, seen.degrees, two_sided=False), np.nan)
    adjusted = adjust_for_cells(smallest_of(np.stack([day_p, week_p])), sites)
    with np.errstate(invalid="ignore"):
        effect = LOGIT.back(np.where(np.isnan(week_p) | (day_p <= week_p), values, week)) - floor
        strong = (adjusted < ALPHA) & (effect <= -STRONG_DROP)
        return _judgement(means, np.full(means.shape, floor), effect, adjusted, effect < 0, effect >= 0, strong)


def change_of_distribution(
    histograms: Floats, weekdays: Ints, sites: Ints, first_day: int = 0, held: Held | None = None
) -> Judgement:
    """The whole distribution of confidence (cells, days, bins), two-sided: finds changes that leave the mean unchanged.

    Significance is tested for the cumulative share at nine fixed points, each with the variance between its own days
    (a Kolmogorov–Smirnov statistic of days instead of events). The effect is the Wasserstein-1 distance between the
    week's mean histogram and the reference's.
    """
    counts = histograms.sum(axis=-1)
    below = distances.shares_below(histograms, DISTRIBUTION_EDGES)
    p_values = []
    for shares in below:
        seen = compare_with_reference(
            only_enough(shares, counts), counts, weekdays, sites, PRIOR_EDGE_DEVIATION, first_day=first_day, held=held
        )
        p_values.append(student_p(seen.week_t, seen.degrees, two_sided=True))
    distance = _window_distance(histograms, counts, first_day, held)
    adjusted = adjust_for_cells(smallest_of(np.stack(p_values), len(below)), sites)
    with np.errstate(invalid="ignore"):
        return _judgement(
            distance,
            np.zeros(distance.shape),
            distance,
            adjusted,
            distance >= SMALLEST_DISTANCE,
            distance < SMALLEST_DISTANCE / 2,
        )


def shift_of_mix(
    counts: Floats, weekdays: Ints, sites: Ints, first_day: int = 0, held: Held | None = None
) -> Judgement:
    """Shares of event types (cells, days, types) compared with the cell's own previous weeks, two-sided.

    The effect is the total variation.
    """
    total = counts.sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = counts / total[..., None]
    seen = [
        compare_shares(
            only_enough(shares[..., kind], total),
            total,
            weekdays,
            sites,
            PRIOR_ANGLE_DEVIATION,
            first_day,
            held,
            scale=ANGLE,
        )
        for kind in range(counts.shape[-1])
    ]
    day_p = smallest_of(np.stack([student_p(one.day_t, one.degrees, two_sided=True) for one in seen]))
    week_p = smallest_of(np.stack([student_p(one.week_t, one.degrees, two_sided=True) for one in seen]))
    with np.errstate(invalid="ignore"):
        day_shift, week_shift = (0.5 * np.abs(np.stack(parts)).sum(axis=0) for parts in _horizons(seen))
        effect = np.where(np.isnan(week_p) | (day_p <= week_p), day_shift, week_shift)
    adjusted = adjust_for_cells(smallest_of(np.stack([day_p, week_p])), sites)
    with np.errstate(invalid="ignore"):
        return _judgement(
            effect, np.zeros(effect.shape), effect, adjusted, effect >= SMALLEST_SHIFT, effect < SMALLEST_SHIFT / 2
        )


def away_from_baseline(
    counts: Floats, weekdays: Ints, baselines: Floats, first_day: int = 0, held: Held | None = None
) -> Judgement:
    """A site's week of events (sites, days, types) compared with its baseline (sites, types).

    The effect is the total variation, the test chi-square. The week's events are summed. How much days differ is
    learned from the six weeks up to the day, or up to the fault of a site that `held` freezes.
    """
    sites, days, _ = counts.shape
    total = counts.sum(axis=-1)
    effect, p = np.full((sites, days), np.nan), np.full((sites, days), np.nan)
    for day in range(first_day, days):
        window = slice(max(0, day - reference.WINDOW_DAYS + 1), day + 1)
        pooled = counts[:, window].sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            shares = pooled / pooled.sum(axis=-1, keepdims=True)
        design, degrees = np.empty(sites), np.empty(sites)
        for site in range(sites):
            end = day + 1
            if held is not None and held.ends[site] >= 0:
                end = min(end, int(held.ends[site]) + reference.GAP_DAYS + reference.WINDOW_DAYS - 1)
            history = slice(max(0, end - reference.REFERENCE_DAYS), end)
            design[site], degrees[site] = design_effect(
                counts[site, history], weekdays[history], PRIOR_DESIGN_EFFECT, PRIOR_DESIGN_DAYS
            )
        seen_days = (total[:, window] > 0).sum(axis=1)
        design = design * variance_inflation(reference.PRIOR_CORRELATION, np.maximum(seen_days, 1))
        enough = (pooled.sum(axis=-1) >= SMALLEST_SAMPLE) & (total[:, day] > 0)
        effect[:, day] = np.where(enough, distances.total_variation(shares, baselines), np.nan)
        p[:, day] = np.where(enough, chi_square_p(pooled, baselines, design, degrees), np.nan)
    with np.errstate(invalid="ignore"):
        return _judgement(effect, np.zeros(effect.shape), effect, p, effect >= BASELINE_SHIFT, effect < BASELINE_SHIFT)


def fall_of_volume(
    counts: Floats, weekdays: Ints, sites: Ints, first_day: int = 0, held: Held | None = None
) -> Judgement:
    """A camera's events (cells, days) compared with its own previous weeks and its site's other cameras, one-sided.

    Counts are compared as logarithms. If the site has at least three cameras, their median is subtracted, so that a
    public holiday is not evidence against any camera. A day without any event of the site is not judged, because the
    plant was closed.
    """
    is_open = np.stack([np.nansum(counts[sites == site], axis=0) > 0 for site in range(sites.max(initial=-1) + 1)])
    logs = np.where(is_open[sites], np.log1p(np.nan_to_num(counts)), np.nan)
    steady = np.ones(counts.shape)
    for site in range(len(is_open)):
        rows = np.flatnonzero(sites == site)
        if len(rows) >= 3:
            with np.errstate(invalid="ignore"):
                logs[rows] -= np.where(is_open[site], np.median(logs[rows], axis=0), 0.0)
    seen = compare_with_reference(logs, steady, weekdays, sites, PRIOR_VOLUME_DEVIATION, first_day=first_day, held=held)
    p, effect = _either_horizon(seen, two_sided=False)
    ratio = np.expm1(effect)
    with np.errstate(invalid="ignore", divide="ignore"):
        expected = np.nan_to_num(counts) / np.exp(effect)
        return _judgement(
            counts, expected, ratio, adjust_for_cells(p, sites), ratio <= -SMALLEST_FALL, ratio > -SMALLEST_FALL / 2
        )


def _judgement(
    observed: Floats,
    expected: Floats,
    effect: Floats,
    p: Floats,
    is_large: Flags,
    back: Flags,
    strong: Flags | None = None,
) -> Judgement:
    judged = np.isfinite(p) & np.isfinite(effect)
    evidence = judged & (np.nan_to_num(p, nan=1.0) < ALPHA) & is_large
    hidden = np.where(judged, 0.0, np.nan)
    none = np.zeros(judged.shape, dtype=bool)
    return Judgement(
        observed,
        expected + hidden,
        effect + hidden,
        p + hidden,
        judged,
        evidence,
        none if strong is None else strong,
        judged & back & ~evidence,
    )


def _either_horizon(seen: Comparison, *, two_sided: bool) -> tuple[Floats, Floats]:
    """The smaller p-value of day and week, corrected for two tests, and the difference of that horizon."""
    day_p = student_p(seen.day_t, seen.degrees, two_sided=two_sided)
    week_p = student_p(seen.week_t, seen.degrees, two_sided=two_sided)
    with np.errstate(invalid="ignore"):
        effect = np.where(np.isnan(week_p) | (day_p <= week_p), seen.day, seen.week)
    return smallest_of(np.stack([day_p, week_p])), effect


def _horizons(seen: list[Comparison]) -> tuple[list[Floats], list[Floats]]:
    return [one.day for one in seen], [one.week for one in seen]


def _trailing_median(values: Floats, first_day: int) -> tuple[Floats, Floats]:
    """The median and the number of known days of each week that ends on a judged day, shape (cells, days)."""
    median, size = np.full(values.shape, np.nan), np.zeros(values.shape)
    for day in range(first_day, values.shape[1]):
        window = values[:, max(0, day - reference.WINDOW_DAYS + 1) : day + 1]
        known = np.isfinite(window[:, -1])
        size[:, day] = np.where(known, np.isfinite(window).sum(axis=1), 0)
        median[:, day] = np.where(known, reference.row_median(window), np.nan)
    return median, size


def _window_distance(histograms: Floats, counts: Floats, first_day: int, held: Held | None) -> Floats:
    """The Wasserstein-1 distance between each week's mean histogram and its reference's, shape (cells, days).

    Every day with enough events has equal weight.
    """
    enough = counts >= SMALLEST_SAMPLE
    with np.errstate(invalid="ignore", divide="ignore"):
        daily = np.where(enough[..., None], histograms / counts[..., None], 0.0)
    distance = np.full(counts.shape, np.nan)
    for day in range(first_day, counts.shape[1]):
        start, end = max(0, day - reference.WINDOW_DAYS + 1), reference.reference_end(day)
        if held is None:
            before = daily[:, max(0, end - reference.REFERENCE_DAYS) : max(0, end)].sum(axis=1)
        else:
            before = reference.taken(daily, reference.reference_columns(day, held), 0.0).sum(axis=1)
        both = enough[:, start : day + 1].any(axis=1) & (before.sum(axis=-1) > 0)
        moved = distances.wasserstein_1(daily[:, start : day + 1].sum(axis=1), before)
        distance[:, day] = np.where(both, moved, np.nan)
    return distance
