"""Evaluates simulated years with every judge and writes `benchmarks/results-drift.md`: false alerts, power, delay."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.drift.judges import JUDGES, Alerts
from benchmarks.drift.simulate import (
    CAMERAS,
    DAYS,
    DRIFTS,
    WARM_UP_DAYS,
    Drift,
    Years,
    observe,
    simulate_years,
    with_drift,
)

RESULTS = Path(__file__).parent.parent / "results-drift.md"
DOCUMENT = Path(__file__).resolve().parent.parent.parent / "docs/quality.md"
# A drift counts as found if an alert of its camera, model or site is sent within this many days of its start.
FOUND_WITHIN_DAYS = 60


@dataclass(frozen=True)
class Found:
    """One drift and one judge: the share of sites (0 to 1) that found it, and the median delay in days.

    The delay is None if at most half of the sites found the drift.
    """

    power: float
    delay: float | None


def false_alerts(alerts: Alerts, sites: int, days: int) -> float:
    """The alerts per site and year when nothing drifts."""
    single, groups, _ = alerts
    return float(single[:, WARM_UP_DAYS:].sum() + groups[:, WARM_UP_DAYS:].sum()) / sites * (365 / days)


def found(alerts: Alerts, years: Years, hit: NDArray[np.bool_], drift: Drift) -> Found:
    """Whether and when a site's drift was reported, by an alert of an affected camera, or of the site or a model."""
    single, groups, owners = alerts
    delays = []
    for site in np.unique(years.sites):
        rows = (years.sites == site) & hit
        sent = single[rows].any(axis=0)
        sent = sent | groups[owners == site].any(axis=0)
        when = np.flatnonzero(sent[drift.start : drift.start + FOUND_WITHIN_DAYS])
        delays.append(float(when[0]) if len(when) else np.inf)
    median = float(np.median(delays))
    return Found(float(np.isfinite(delays).mean()), median if np.isfinite(median) else None)


def measure(
    seed: int, sites: int, days: int = DAYS, cameras: int = CAMERAS, drifts: Sequence[Drift] = DRIFTS
) -> tuple[dict[str, float], dict[str, dict[str, Found]]]:
    """False alerts per site and year by judge, and the detection results by drift and judge."""
    random = np.random.default_rng(seed)
    years = simulate_years(random, sites, cameras, days)
    mix, histograms = observe(random, years)
    nothing = {name: false_alerts(judge(years, mix, histograms), sites, days) for name, judge in JUDGES.items()}
    something: dict[str, dict[str, Found]] = {}
    for drift in drifts:
        drifted, hit = with_drift(years, drift)
        mix, histograms = observe(random, drifted)
        something[drift.name] = {
            name: found(judge(drifted, mix, histograms), drifted, hit, drift) for name, judge in JUDGES.items()
        }
    return nothing, something


def page(nothing: dict[str, float], something: dict[str, dict[str, Found]], sites: int, seconds: float) -> str:
    """The results as a page."""
    names = list(nothing)
    lines = [
        "# Alarms that can be believed",
        "",
        (
            f"{sites} sites of {CAMERAS} cameras, a simulated year each; written by `make bench-drift` in "
            f"{seconds:.0f} s. "
            f"A drift counts as found if its camera, model or site has an alert within {FOUND_WITHIN_DAYS} days. "
            "The delay is the median in days, counted from the first day of the drift."
        ),
        "",
        "| | " + " | ".join(names) + " |",
        "| --- |" + " --- |" * len(names),
        "| false alerts per site and year | " + " | ".join(f"{nothing[name]:.2f}" for name in names) + " |",
    ]
    for drift, results in something.items():
        cells = [_summary(results[name]) for name in names]
        lines.append(f"| {drift} | " + " | ".join(cells) + " |")
    return "\n".join([*lines, ""])


def _summary(one: Found) -> str:
    return f"{one.power:.0%}" + ("" if one.delay is None else f", {one.delay:.0f} days")


def main() -> None:
    """Simulate the years, judge them, and write the results."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.drift", description=__doc__)
    parser.add_argument("--sites", type=int, default=40, help="site-years")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    started = time.monotonic()
    nothing, something = measure(arguments.seed, arguments.sites)
    text = page(nothing, something, arguments.sites, time.monotonic() - started)
    RESULTS.write_text(text, encoding="utf-8")
    DOCUMENT.write_text(quote(DOCUMENT.read_text(encoding="utf-8"), text), encoding="utf-8")
    print(text)


def quote(document: str, text: str) -> str:
    """The document with the page (without its title) between its marks."""
    start, end = "<!-- benchmarks/results-drift.md -->\n", "<!-- end -->"
    before, _, rest = document.partition(start)
    return before + start + "\n" + text.partition("\n\n")[2] + "\n" + end + rest.partition(end)[2]


if __name__ == "__main__":
    main()
