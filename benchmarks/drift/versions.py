"""How often equal model versions are called different over 90 daily looks, and how soon a worse one is found.

The simulated sites know nothing of the rule: days of a site and of a camera resemble the day before, cameras differ,
and labels come at random. Writes `benchmarks/results-versions.md`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from statistics import median

import numpy as np

from quality.retraining.verdicts import FEWEST_WEEKS, METRICS, MOST_WEEKS, CameraDay, Metric, Verdict, compare

RESULTS = Path(__file__).parent.parent / "results-versions.md"
FIRST = date(2026, 1, 5)
WEEKS_BEFORE = 8
LOOK_DAYS = 90


@dataclass(frozen=True)
class Site:
    """A simulated site: `alike` is the correlation of neighbouring days, `spread` what site and camera days vary by."""

    metric: Metric
    alike: float
    spread: float
    labels_a_day: int = 10
    cameras: int = 5
    difference: float = 0.0
    is_crossover: bool = False


def simulated(random: np.random.Generator, site: Site) -> tuple[list[CameraDay], list[CameraDay]]:
    """The days of the earlier and the later version. In a crossover, cameras change between them every week."""
    days = (WEEKS_BEFORE + MOST_WEEKS) * 7
    noise = random.normal(size=(site.cameras + 1, days))
    for day in range(1, days):
        noise[:, day] = site.alike * noise[:, day - 1] + math.sqrt(1 - site.alike**2) * noise[:, day]
    weeks = np.arange(days) // 7 - WEEKS_BEFORE
    is_later = np.tile(weeks >= 0, (site.cameras, 1))
    if site.is_crossover:
        is_later &= (weeks + np.arange(site.cameras)[:, None]) % 2 == 0
    level = 0.93 + random.normal(0, 0.02, (site.cameras, 1))
    share = np.clip(level + site.spread * (noise[1:] + noise[0]) + site.difference * is_later, 0, 1)
    totals, rights = np.ones(share.shape, dtype=int), share
    if site.metric == "accuracy":
        totals = random.poisson(site.labels_a_day / site.cameras, share.shape)
        rights = random.binomial(totals, share)
    sides: tuple[list[CameraDay], list[CameraDay]] = ([], [])
    for camera, day in zip(*np.nonzero(totals), strict=True):
        at = FIRST + timedelta(days=int(day))
        found = CameraDay(f"cam-{camera}", at, float(rights[camera, day]), int(totals[camera, day]))
        sides[int(is_later[camera, day])].append(found)
    return sides


def looks(site: Site, earlier: list[CameraDay], later: list[CameraDay]) -> Iterator[tuple[int, Verdict]]:
    """The verdicts of the days on which one can change, by the number of days since the later version began.

    A verdict rests on whole weeks, so the looks of the days between are the same.
    """
    for week in range(FEWEST_WEEKS, MOST_WEEKS + 1):
        until = FIRST + timedelta(weeks=WEEKS_BEFORE + week)
        seen = ([day for day in side if day.event_date < until] for side in (earlier, later))
        if 7 * week <= LOOK_DAYS + 1:
            yield 7 * week, compare(site.metric, *seen)


def decided(site: Site, seed: int, sites: int) -> list[int]:
    """For the sites that got a verdict, the days after which it came."""
    random = np.random.default_rng(seed)
    found = []
    for _ in range(sites):
        for day, verdict in looks(site, *simulated(random, site)):
            if verdict.answer not in ("not_decided", "insufficient_data"):
                found.append(day)
                break
    return found


def page(sites: int) -> str:
    """The results as Markdown."""
    started = time.perf_counter()
    heads = [f"{metric}, {how}" for metric in METRICS for how in ("before and after", "crossover")]
    lines = [f"| | alike | {' | '.join(heads)} |", "| --- | --- | --- | --- | --- | --- |"]
    for alike, spread in ((0.0, 0.01), (0.5, 0.02), (0.7, 0.02)):
        cells = []
        for metric in METRICS:
            for is_crossover in (False, True):
                site = Site(metric, alike, spread, is_crossover=is_crossover)
                cells.append(f"{len(decided(site, 1, sites)) / sites:.1%}")
        lines.append(f"| equal versions, days vary by {100 * spread:g} points | {alike:g} | {' | '.join(cells)} |")
    for difference in (-0.03, -0.05, -0.10):
        days = decided(Site("accuracy", 0.5, 0.02, labels_a_day=20, difference=difference), 2, sites // 2)
        shown = f"{len(days) / (sites // 2):.0%}" + (f", {median(days):g} days" if days else "")
        lines.append(f"| {100 * difference:g} points of accuracy, 20 labels a day | 0.5 | {shown} | | | |")
    seconds = time.perf_counter() - started
    return (
        "# Verdicts between versions\n\n"
        f"{sites} sites of five cameras for each number, 10 labels a day; written by "
        f"`python -m benchmarks.drift.versions` in {seconds:.0f} s. For equal versions: the share of sites that got "
        f"any verdict within {LOOK_DAYS} daily looks. Below: the share that found the worse version, and the median "
        "delay. `alike` is the correlation of neighbouring days.\n\n" + "\n".join(lines) + "\n"
    )


if __name__ == "__main__":
    RESULTS.write_text(page(sites=300), encoding="utf-8")
