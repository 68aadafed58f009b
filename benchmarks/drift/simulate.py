"""Simulates years of a plant's cameras as daily aggregates, with the effects that make drift detection hard.

These are weekdays, rotating shifts, seasons, correlated days, runs of events, unusual days, and differences between
cameras. Each quantity is drawn at once for all cameras and days; there are no single events.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import special

from quality.drift.baselines import DEFAULT_MIX
from quality.drift.distances import BINS

Floats = NDArray[np.float64]

DAYS = 365
# Days before the counted year, which the reference needs.
WARM_UP_DAYS = 63
CAMERAS = 20
# The number of consecutive events with the information of one independent event, because states and light persist.
RUN_LENGTH = 10.0
DAY_CORRELATION = 0.5


@dataclass(frozen=True)
class Years:
    """The latent levels of the cameras; arrays of shape (cameras of all sites, days, …), but `sites` by camera.

    `weekdays` has the shape (days,), 0 to 6.
    """

    sites: NDArray[np.int64]
    versions: NDArray[np.int64]
    weekdays: NDArray[np.int64]
    events: NDArray[np.int64]
    confidence: Floats
    spread: Floats
    shares: Floats


@dataclass(frozen=True)
class Drift:
    """A change of `cameras` cameras of a site from day `start` on. It grows over `ramp_days` days.

    `confidence` is added to the mean. `idle` and `absent` are shares (0 to 1) moved from working.
    """

    name: str
    cameras: int = 1
    confidence: float = 0.0
    idle: float = 0.0
    absent: float = 0.0
    ramp_days: int = 0
    start: int = WARM_UP_DAYS + 150


DRIFTS = (
    Drift("mean confidence −0.05, one camera", confidence=-0.05),
    Drift("idle share +5 points, one camera", idle=0.05),
    Drift("idle share +10 points, one camera", idle=0.10),
    Drift("idle share +15 points, one camera", idle=0.15),
    Drift("a camera turned over 30 days: −0.05, absent +10 points", confidence=-0.05, absent=0.10, ramp_days=30),
    Drift("a bad model on half of the cameras: −0.05", cameras=CAMERAS // 2, confidence=-0.05),
)


def simulate_years(random: np.random.Generator, sites: int, cameras: int = CAMERAS, days: int = DAYS) -> Years:
    """The given number of sites for a year each, without drift."""
    cells, total = sites * cameras, WARM_UP_DAYS + days
    site = np.repeat(np.arange(sites), cameras)
    weekdays = np.arange(total) % 7
    strange = random.random((sites, total)) < 8 / 365  # public holidays, stocktaking
    quiet = np.where(weekdays == 5, 0.6, np.where(weekdays == 6, 0.35, 1.0))
    base = random.lognormal(np.log(900), 0.35, (cells, 1))
    volume = base * quiet * np.exp(_noise(random, cells, total, 0.12)) * np.where(strange, 0.15, 1.0)[site]
    # Crews change shifts every two weeks, so the work and the light change.
    rotation = np.where((np.arange(total) // 14) % 2 == 0, 1.0, -1.0)
    season = np.sin(2 * np.pi * (np.arange(total) / 365 + random.random((sites, 1))))[site]
    weekend = (weekdays >= 5).astype(np.float64)
    confidence = (
        random.uniform(0.89, 0.95, (cells, 1))
        + random.normal(0, 0.006, (cells, 1)) * weekend
        + 0.002 * rotation * random.normal(0, 1, (sites, 1))[site]
        + 0.006 * season
        + _noise(random, sites, total, 0.004)[site]
        + random.uniform(0.004, 0.010, (cells, 1)) * _noise(random, cells, total, 1.0)
        - (random.random((cells, total)) < 0.01) * random.uniform(0.02, 0.08, (cells, total))  # a dirty lens, wiped
    )
    logits = (
        np.log(np.array(DEFAULT_MIX))
        + random.normal(0, 0.2, (cells, 1, 4))
        + random.normal(0, 0.08, (sites, 1, 4))[site]
    )
    kinds = np.stack([_noise(random, cells, total, 0.08) for _ in range(4)], axis=-1)
    crew = random.normal(0, 0.05, (sites, 1, 4))[site] * rotation[:, None]
    sunday = random.normal(0, 0.15, (cells, 1, 4)) * weekend[:, None]
    odd = random.normal(0, 0.6, (sites, total, 4)) * strange[:, :, None]
    shares = special.softmax(logits + kinds + crew + sunday + odd[site], axis=-1)
    return Years(
        sites=site,
        versions=np.repeat(site[:, None], total, axis=1),
        weekdays=weekdays,
        events=np.maximum(random.poisson(volume), 0),
        confidence=confidence,
        spread=random.uniform(12, 40, (cells, 1)),
        shares=shares,
    )


def with_drift(years: Years, drift: Drift) -> tuple[Years, NDArray[np.bool_]]:
    """The same years with a drift at each site, and flags of the affected cameras."""
    first = np.searchsorted(years.sites, np.unique(years.sites))
    hit = np.zeros(len(years.sites), dtype=bool)
    for start in first:
        hit[start : start + drift.cameras] = True
    since = np.arange(years.confidence.shape[1]) - drift.start
    size = np.clip((since + 1) / (drift.ramp_days + 1), 0, 1) * hit[:, None]
    moved = size[..., None] * np.array([-(drift.idle + drift.absent), drift.idle, drift.absent, 0.0])
    shares = np.clip(years.shares + moved, 0.001, None)
    versions = years.versions
    if drift.cameras > 1:
        versions = np.where((size > 0), versions + years.sites.max() + 1, versions)
    return replace(
        years,
        confidence=years.confidence + drift.confidence * size,
        shares=shares / shares.sum(axis=-1, keepdims=True),
        versions=versions,
    ), hit


def observe(random: np.random.Generator, years: Years) -> tuple[Floats, Floats]:
    """Draw the cameras' reports: events by type (cells, days, 4) and histograms of confidence (cells, days, bins)."""
    independent = np.ceil(years.events / RUN_LENGTH).astype(np.int64)
    scale = (years.events / np.maximum(independent, 1))[..., None]
    mix = random.multinomial(independent, years.shares) * scale
    mean = np.clip(years.confidence, 0.05, 0.995)[..., None]
    edges = np.linspace(0, 1, BINS + 1)
    cumulative = special.betainc(mean * years.spread[..., None], (1 - mean) * years.spread[..., None], edges)
    chances = np.diff(cumulative, axis=-1)
    histograms = random.multinomial(independent, chances / chances.sum(axis=-1, keepdims=True)) * scale
    return mix, histograms


def _noise(random: np.random.Generator, rows: int, days: int, deviation: float) -> Floats:
    """Noise (rows, days): days resemble the day before, and tails are heavier than a normal distribution's."""
    shocks = random.standard_t(5, (rows, days)) / np.sqrt(5 / 3) * np.sqrt(1 - DAY_CORRELATION**2)
    series = np.empty((rows, days))
    series[:, 0] = shocks[:, 0] / np.sqrt(1 - DAY_CORRELATION**2)
    for day in range(1, days):
        series[:, day] = DAY_CORRELATION * series[:, day - 1] + shocks[:, day]
    return deviation * series
