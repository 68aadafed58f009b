"""Significance: p-values, their correction for many cells, and overdispersed counts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def student_p(statistic: Floats, degrees: Floats, *, two_sided: bool) -> Floats:
    """The p-value of a Student statistic, lower-tailed or two-sided. NaN stays NaN.

    "Student", "The probable error of a mean", Biometrika 6 (1908).
    """
    tail: Floats = special.stdtr(degrees, -np.abs(statistic) if two_sided else statistic)
    return 2 * tail if two_sided else tail


def smallest_of(p_values: Floats, tests: int | None = None) -> Floats:
    """The smallest p-value along the first axis times the number of tests (Bonferroni 1936); NaN if all are NaN."""
    known = np.isfinite(p_values)
    smallest = np.where(known, p_values, 1.0).min(axis=0)
    count = known.sum(axis=0) if tests is None else tests
    return np.where(known.any(axis=0), np.minimum(smallest * count, 1.0), np.nan)


def adjust_for_cells(p_values: Floats, groups: Ints) -> Floats:
    """p-values (cells, days) corrected for all cells of a group that were judged on the same day.

    Benjamini and Hochberg, "Controlling the false discovery rate", Journal of the Royal Statistical Society B 57
    (1995). Cameras of one site share their light and their shifts; for such positive dependence the procedure is valid
    (Benjamini and Yekutieli, Annals of Statistics 29, 2001). If nothing drifts, it bounds the probability of any false
    alarm on the day, as Holm's procedure does. If a bad model reaches all cameras, it has more power than Holm's.
    """
    adjusted = np.full(p_values.shape, np.nan)
    judged_days = np.isfinite(p_values).any(axis=0)
    if not judged_days.all():  # most of a panel is history, which has no p-values
        if judged_days.any():
            adjusted[:, judged_days] = adjust_for_cells(p_values[:, judged_days], groups)
        return adjusted
    for group in np.unique(groups):
        rows = np.flatnonzero(groups == group)
        known = np.isfinite(p_values[rows])
        judged = known.sum(axis=0)
        part = np.where(known, p_values[rows], 2.0)  # sorts after every real p-value
        order = np.argsort(part, axis=0, kind="stable")
        ordered = np.take_along_axis(part, order, axis=0)
        ranks = np.arange(1, len(rows) + 1)[:, None]
        raised = np.minimum(np.minimum.accumulate((ordered * judged / ranks)[::-1], axis=0)[::-1], 1.0)
        back = np.empty_like(raised)
        np.put_along_axis(back, order, raised, axis=0)
        adjusted[rows] = np.where(known, back, np.nan)
    return adjusted


def chi_square_p(counts: Floats, baseline: Floats, design_effect: Floats, degrees: Floats) -> Floats:
    """The p-value of the hypothesis that overdispersed counts (…, types) come from a baseline; shape (…).

    Pearson's statistic, divided by the design effect and by its degrees of freedom, is compared with F: the first-order
    correction of Rao and Scott, "The analysis of categorical data from complex sample surveys", JASA 76 (1981).
    `degrees` are the degrees of freedom of the design effect's estimate.
    """
    total = counts.sum(axis=-1)
    free = counts.shape[-1] - 1
    with np.errstate(invalid="ignore", divide="ignore"):
        expected = total[..., None] * baseline
        statistic = ((counts - expected) ** 2 / expected).sum(axis=-1) / free / design_effect
        p: Floats = special.fdtrc(free, degrees, statistic)
    return p


def design_effect(counts: Floats, weekdays: Ints, prior: float, prior_days: float) -> tuple[Floats, Floats]:
    """The factor by which days (…, days, types) differ more than independent events would, and its degrees of freedom.

    It is the mean over days of Pearson's statistic per degree of freedom (McCullagh and Nelder, "Generalized Linear
    Models", 4.5.2). Each day is compared with the shares of its weekday, or with those of all days if the weekday has
    fewer than three days. `prior_days` days with the design effect `prior` are added. The result is at least 1.
    """
    total = counts.sum(axis=-1)
    known = total > 0
    free = counts.shape[-1] - 1
    expected = np.empty_like(counts)
    fitted = np.zeros(total.shape[:-1])
    overall = _shares(counts.sum(axis=-2))[..., None, :]
    for weekday in range(7):
        is_day = weekdays == weekday
        if not is_day.any():
            continue
        enough = (known[..., is_day].sum(axis=-1) >= 3)[..., None, None]
        expected[..., is_day, :] = np.where(enough, _shares(counts[..., is_day, :].sum(axis=-2))[..., None, :], overall)
        fitted = fitted + enough[..., 0, 0]
    expected *= total[..., None]
    with np.errstate(invalid="ignore", divide="ignore"):
        pearson = np.where(expected > 0, (counts - expected) ** 2 / expected, 0.0).sum(axis=-1) / free
    degrees = np.maximum(known.sum(axis=-1) - np.maximum(fitted, 1), 0)
    summed = np.where(known, pearson, 0.0).sum(axis=-1)
    effect = np.maximum((summed + prior_days * prior) / (degrees + prior_days), 1.0)
    return effect, free * (degrees + prior_days)


def _shares(counts: Floats) -> Floats:
    total = counts.sum(axis=-1, keepdims=True)
    shares: Floats = counts / np.where(total > 0, total, 1.0)
    return shares
