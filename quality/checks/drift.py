"""Applies the rules of `quality.drift` to the plant's panels: one result with a sentence per check, cell and day."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ingestion.contract.events import EVENT_TYPES
from quality.checks.check_names import (
    BASELINE_MIX,
    CONFIDENCE_DROP,
    CONFIDENCE_FLOOR,
    COVERAGE,
    DISTRIBUTION,
    LATENESS,
    LOW_SHARE,
    OWN_MIX,
    VOLUME,
)
from quality.checks.results import Cell, DayResult, Severity
from quality.drift import rules
from quality.drift.baselines import Baseline
from quality.drift.distances import BINS, kl_divergence
from quality.drift.panels import Panels
from quality.drift.reference import Held
from quality.drift.rules import Judgement

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class DayCheck:
    """A check: its metric, severity, threshold and sentence."""

    name: str
    metric: str
    severity: Severity
    threshold: float
    # Returns the sentence for observed, expected, effect and the day's column. "It" in a sentence is the cell.
    words: Callable[[float, float, float, int], str]


def day_results(
    panels: Panels, floor: float, baselines: Mapping[str, Baseline], held: Mapping[str, Held] | None = None
) -> Iterator[DayResult]:
    """The results of every drift check for every cell and judged day. `baselines` holds the expected shares by site.

    `held` freezes the references of cells, by metric.
    """
    if not panels.cameras:  # days between a stopped clock's date and the others, or a season without work
        return
    held = held or {}
    first, weekdays = panels.first_judged, panels.weekdays
    sites = panels.site_numbers(panels.cameras)
    cameras = _camera_cells(panels)
    events = panels.events
    open_events = panels.on_open_days(np.where(events > 0, events, np.nan))
    coverage = panels.on_open_days(panels.coverage)
    low_bins = round(rules.LOW_CONFIDENCE * BINS)
    low = _ratio(panels.histograms[..., :low_bins].sum(axis=-1), panels.histograms.sum(axis=-1))
    yield from _rows(
        panels,
        DayCheck(
            CONFIDENCE_FLOOR,
            "confidence_floor",
            "critical",
            floor,
            lambda seen, _, effect, __: (
                f"mean confidence is {seen:.3f}; the day or week that decides has {floor + effect:.3f}, "
                f"the floor is {floor:g}"
            ),
        ),
        [Cell(*model) for model in panels.models],
        panels.model_events,
        rules.below_floor(
            panels.model_mean,
            panels.model_events,
            weekdays,
            panels.site_numbers(panels.models),
            floor,
            first,
            held.get("confidence_floor"),
        ),
    )
    yield from _rows(
        panels,
        DayCheck(
            CONFIDENCE_DROP,
            "confidence_drift",
            "warning",
            -rules.SMALLEST_DROP,
            lambda seen, usual, effect, _: (
                f"mean confidence is {seen:.3f}, usual for the weekday is {usual:.3f} (change {effect:+.3f})"
            ),
        ),
        cameras,
        events,
        rules.drop_of_mean(panels.mean, events, weekdays, sites, first, held.get("confidence_drift")),
    )
    yield from _rows(
        panels,
        DayCheck(
            LOW_SHARE,
            "confidence_drift",
            "warning",
            rules.SMALLEST_RISE,
            lambda seen, usual, effect, _: (
                f"{seen:.1%} of events have a confidence below {rules.LOW_CONFIDENCE:g}, usual is {usual:.1%} "
                f"({100 * effect:+.1f} points)"
            ),
        ),
        cameras,
        events,
        rules.rise_of_low_confidence(low, events, weekdays, sites, first, held.get("confidence_drift")),
    )
    yield from _rows(
        panels,
        DayCheck(
            DISTRIBUTION,
            "confidence_drift",
            "warning",
            rules.SMALLEST_DISTANCE,
            lambda seen, *_: (
                f"the week's distribution of confidence lies {seen:.3f} from the weeks before (Wasserstein)"
            ),
        ),
        cameras,
        events,
        rules.change_of_distribution(panels.histograms, weekdays, sites, first, held.get("confidence_drift")),
    )
    yield from _rows(
        panels,
        DayCheck(
            OWN_MIX,
            "event_mix_drift",
            "warning",
            rules.SMALLEST_SHIFT,
            lambda seen, *_: f"{seen:.1%} of events are of another type than in the weeks before",
        ),
        cameras,
        events,
        rules.shift_of_mix(panels.mix, weekdays, sites, first, held.get("event_mix_drift")),
    )
    yield from _rows(
        panels,
        DayCheck(
            VOLUME,
            "volume",
            "warning",
            -rules.SMALLEST_FALL,
            lambda seen, usual, effect, _: (
                f"{seen:,.0f} events; beside the site's other cameras {usual:,.0f} are usual ({effect:+.0%})"
            ),
        ),
        cameras,
        np.nan_to_num(open_events),
        rules.fall_of_volume(open_events, weekdays, sites, first, held.get("volume")),
    )
    yield from _rows(
        panels,
        DayCheck(
            COVERAGE,
            "silence",
            "warning",
            -rules.SMALLEST_GAP,
            lambda seen, usual, effect, _: (
                f"covers {seen:.0%} of the scheduled time, usual is {usual:.0%} ({100 * effect:+.0f} points)"
            ),
        ),
        cameras,
        np.where(np.isfinite(coverage), np.maximum(events, 1), 0),
        rules.fall_of_coverage(coverage, weekdays, sites, first, held.get("silence")),
    )
    yield from _rows(
        panels,
        DayCheck(
            LATENESS,
            "lateness",
            "warning",
            rules.SMALLEST_DELAY,
            lambda seen, usual, effect, _: (
                f"{seen:.0%} of its events came late, usual is {usual:.0%} ({100 * effect:+.0f} points)"
            ),
        ),
        cameras,
        events,
        rules.rise_of_lateness(panels.late_share, events, weekdays, sites, first, held.get("lateness")),
    )
    yield from _baseline_rows(panels, baselines, held.get("event_mix_baseline"))


def _baseline_rows(panels: Panels, baselines: Mapping[str, Baseline], held: Held | None) -> Iterator[DayResult]:
    sites = panels.site_numbers(panels.cameras)
    of_site = np.stack([panels.mix[sites == site].sum(axis=0) for site in range(len(panels.sites))])
    shares = np.array([baselines[site].shares for site in panels.sites])
    judgement = rules.away_from_baseline(of_site, panels.weekdays, shares, panels.first_judged, held)
    for place, site in enumerate(panels.sites):
        origin = baselines[site].origin

        def words(value: float, _: float, __: float, at: int, place: int = place, origin: str = origin) -> str:
            week = of_site[place, max(0, at - 6) : at + 1].sum(axis=0)
            seen = week / week.sum() if week.sum() else np.zeros(len(EVENT_TYPES))
            mix = ", ".join(
                f"{kind.replace('_', ' ')} {share:.0%}" for kind, share in zip(EVENT_TYPES, seen, strict=True)
            )
            far = float(kl_divergence(seen, shares[place])) if week.sum() else 0.0
            return (
                f"{value:.1%} of the week's events are of another type than {origin} expects "
                f"(the week: {mix}; divergence {far:.3f} nats)"
            )

        check = DayCheck(BASELINE_MIX, "event_mix_baseline", "warning", rules.BASELINE_SHIFT, words)
        yield from _rows(panels, check, [Cell(site)], of_site[place : place + 1].sum(axis=-1), _only(judgement, place))


def _rows(
    panels: Panels, check: DayCheck, cells: Sequence[Cell], counts: Floats, judgement: Judgement
) -> Iterator[DayResult]:
    """The results of one check, for days on which the cell sent events."""
    bad = "fail" if check.severity == "critical" else "warn"
    for row, cell in enumerate(cells):
        for at in range(panels.first_judged, len(panels.days)):
            count = int(counts[row, at])
            if count == 0:
                continue
            judged, evidence = bool(judgement.judged[row, at]), bool(judgement.evidence[row, at])
            observed, effect, p = (
                _number(part[row, at]) for part in (judgement.observed, judgement.effect, judgement.p)
            )
            if judged:
                said = check.words(observed or 0.0, _number(judgement.expected[row, at]) or 0.0, effect or 0.0, at)
                sentence = f"{cell.name}: {said}."
            else:
                sentence = (
                    f"{cell.name}: too little to judge; it takes {rules.SMALLEST_SAMPLE} events a day "
                    "and two weeks to compare with."
                )
            yield DayResult(
                evidence_date=panels.days[at],
                check_name=check.name,
                metric=check.metric,
                cell=cell,
                status=(bad if evidence else "pass") if judged else "insufficient_data",
                severity=check.severity,
                observed=observed,
                threshold=check.threshold,
                sample_size=count,
                effect=effect,
                p_value=p,
                sentence=sentence[0].upper() + sentence[1:],
                is_strong=bool(judgement.strong[row, at]),
                is_back=bool(judgement.back[row, at]),
            )


def _camera_cells(panels: Panels) -> list[Cell]:
    return [Cell(site, camera) for site, camera in panels.cameras]


def _only(judgement: Judgement, row: int) -> Judgement:
    return Judgement(*(getattr(judgement, name)[row : row + 1] for name in Judgement.__slots__))


def _ratio(part: Floats, whole: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio: Floats = part / np.where(whole > 0, whole, np.nan)
    return ratio


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
