"""Distances between distributions: effect sizes without significance."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Confidence is stored in 50 bins of 0.02 (mart `confidence_histograms`). A mean computed from bins is off by at most
# 0.01.
BINS = 50


def total_variation(shares: Floats, baseline: Floats) -> Any:
    """The share of events whose type changed, 0 to 1: half the sum of absolute differences over the last axis.

    Gibbs and Su, "On choosing and bounding probability metrics", International Statistical Review 70 (2002).
    """
    return 0.5 * np.abs(np.asarray(shares) - np.asarray(baseline)).sum(axis=-1)


def kl_divergence(shares: Floats, baseline: Floats, holdout: float = 0.001) -> Any:
    """Kullback–Leibler divergence of the shares from the baseline, in nats, over the last axis.

    A share of `holdout` is first spread over both sides, so that a type missing from the baseline is not infinitely far
    (Kullback and Leibler, "On information and sufficiency", Annals of Mathematical Statistics 22, 1951).
    """
    size = np.shape(shares)[-1]
    seen = (1 - holdout) * np.asarray(shares) + holdout / size
    expected = (1 - holdout) * np.asarray(baseline) + holdout / size
    return (seen * np.log(seen / expected)).sum(axis=-1)


def wasserstein_1(counts: Floats, reference: Floats) -> Any:
    """The earth mover's distance of two histograms over equal bins of 0 to 1, in units of confidence.

    The area between the two cumulative distributions (Vallender, "Calculation of the Wasserstein distance between
    probability distributions on the line", Theory of Probability and Its Applications 18, 1974). NaN without counts.
    """
    difference = _cumulative(counts) - _cumulative(reference)
    return np.abs(difference).sum(axis=-1) / np.shape(counts)[-1]


def kolmogorov_smirnov(counts: Floats, reference: Floats) -> Any:
    """The largest difference of the two cumulative distributions at a bin's edge (Kolmogorov 1933, Smirnov 1939)."""
    return np.abs(_cumulative(counts) - _cumulative(reference)).max(axis=-1)


def shares_below(counts: Floats, edges: Floats) -> Floats:
    """The share of events below each edge (0 to 1), along a new first axis. Edges are rounded to those of the bins."""
    at = np.clip(np.round(np.asarray(edges) * np.shape(counts)[-1]).astype(int), 1, np.shape(counts)[-1])
    return np.moveaxis(_cumulative(counts)[..., at - 1], -1, 0)


def _cumulative(counts: Floats) -> Floats:
    counts = np.asarray(counts, dtype=np.float64)
    total = counts.sum(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore"):
        cumulative: Floats = np.cumsum(counts, axis=-1) / np.where(total > 0, total, np.nan)
    return cumulative
