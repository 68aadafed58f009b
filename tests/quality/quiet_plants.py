"""Plants without drift in which all days differ: levels on a logistic scale, skewed near 0 and 1.

The rules assume that days are normally distributed around a weekday's level. Here days are drawn from logistic-normal
and beta distributions, resemble the day before, share their site's light, and have events in proportion to a lognormal
load.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
BINS = 50
HISTORY, JUDGED = 56, 30


@dataclass(frozen=True)
class QuietPlants:
    """Daily aggregates of cameras (cells, days, …) of several sites; the last `JUDGED` days are judged."""

    counts: Floats
    means: Floats
    low_shares: Floats
    histograms: Floats
    mix: Floats
    coverage: Floats
    late_shares: Floats
    sites: NDArray[np.int64]
    weekdays: NDArray[np.int64]


def quiet_plants(seed: int, sites: int, cameras: int = 6, spread: float = 0.3) -> QuietPlants:
    """The days of `sites` sites. `spread` is the standard deviation of a camera's day on the logistic scale."""
    random = np.random.default_rng(seed)
    cells, days = sites * cameras, HISTORY + JUDGED
    weekdays = np.arange(days) % 7

    def wander(spread: float) -> Floats:
        """Each camera's deviation on each day: partly its own, partly that of the day before, and its site's."""
        own = np.zeros((cells, days))
        for day in range(days):
            own[:, day] = 0.3 * own[:, day - 1] + random.normal(0, spread * np.sqrt(1 - 0.3**2), cells)
        return own + np.repeat(random.normal(0, spread / 2, (sites, days)), cameras, axis=0)

    def share(level: float, spread: float) -> Floats:
        logit = np.log(level / (1 - level)) + random.normal(0, 0.5, (cells, 1)) + wander(spread)
        return np.asarray(1 / (1 + np.exp(-logit)))

    load = np.exp(random.normal(6.4, 0.3, (cells, 1)) + 0.4 * wander(spread))
    counts = np.maximum(random.poisson(load * np.where(weekdays < 5, 1.0, 0.6)), 210).astype(float)
    # Confidences: most events have a high one, a few a low one, and both vary.
    unsure = share(0.04, spread)
    sure_bins = np.histogram(random.beta(14, 1.6, 20000), BINS, (0, 1))[0] / 20000
    unsure_bins = np.histogram(random.beta(4, 4, 20000), BINS, (0, 1))[0] / 20000
    chances = unsure[..., None] * unsure_bins + (1 - unsure[..., None]) * sure_bins
    histograms = random.multinomial(counts.astype(int), chances).astype(float)
    means = (histograms * (np.arange(BINS) + 0.5) / BINS).sum(axis=-1) / counts
    low_shares = histograms[..., :30].sum(axis=-1) / counts
    idle, absent = share(0.2, spread), share(0.04, spread)
    product = share(0.05, spread)
    kinds = np.stack([np.ones_like(idle), idle / (1 - idle), absent / (1 - absent), product], axis=-1)
    mix = random.multinomial(counts.astype(int), kinds / kinds.sum(axis=-1, keepdims=True)).astype(float)
    coverage = share(0.96, 2 * spread)
    late_shares = random.binomial(counts.astype(int), share(0.02, 2 * spread)) / counts
    numbers = np.repeat(np.arange(sites), cameras)
    return QuietPlants(counts, means, low_shares, histograms, mix, coverage, late_shares, numbers, weekdays)
