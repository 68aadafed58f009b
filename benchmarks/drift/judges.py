"""Three judges of the same years: Floorhouse, Evidently's default column drift, and a plain daily threshold.

A judge decides for every camera (or site or group) and day whether an alert is *sent*. Every judge sends a lasting
alert only once.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from benchmarks.drift.simulate import WARM_UP_DAYS, Floats, Years
from quality.drift import rules
from quality.drift.baselines import DEFAULT_MIX
from quality.drift.distances import BINS, total_variation
from quality.drift.grouping import group_evidence
from quality.drift.hysteresis import transitions

Flags = NDArray[np.bool_]
# Alerts sent: of single cameras (cameras, days), and of sites or model versions with the site each belongs to.
Alerts = tuple[Flags, Flags, NDArray[np.int64]]
Judge = Callable[[Years, Floats, Floats], Alerts]

FLOOR = 0.85
CENTERS = (np.arange(BINS) + 0.5) / BINS
REFERENCE_DAYS = 28


def ours(years: Years, mix: Floats, histograms: Floats) -> Alerts:
    """Every rule of `quality.drift`, grouped by model version, with hysteresis."""
    first = WARM_UP_DAYS
    counts = histograms.sum(axis=-1)
    means = _means(histograms)
    low = histograms[..., : round(rules.LOW_CONFIDENCE * BINS)].sum(axis=-1) / np.maximum(counts, 1)
    week, sites = years.weekdays, years.sites
    of_metric = {
        "confidence_drift": [
            rules.drop_of_mean(means, counts, week, sites, first),
            rules.rise_of_low_confidence(low, counts, week, sites, first),
            rules.change_of_distribution(histograms, week, sites, first),
        ],
        "confidence_floor": [rules.below_floor(means, counts, week, sites, FLOOR, first)],
        "event_mix_drift": [rules.shift_of_mix(mix, week, sites, first)],
        "volume": [rules.fall_of_volume(counts, week, sites, first)],
    }
    single = np.zeros(counts.shape, dtype=bool)
    groups: list[Flags] = []
    owners: list[NDArray[np.int64]] = []
    for judgements in of_metric.values():
        evidence = np.any([one.evidence for one in judgements], axis=0)
        judged = np.any([one.judged for one in judgements], axis=0)
        strong = np.any([one.strong for one in judgements], axis=0)
        of_cell, of_group, group_judged = group_evidence(evidence, judged, years.versions)
        single |= transitions(of_cell, judged, strong=strong).opened
        groups.append(transitions(of_group, group_judged).opened)
        owners.append(np.arange(len(of_group)) % (sites.max() + 1))
    of_site = np.stack([mix[sites == site].sum(axis=0) for site in range(sites.max() + 1)])
    baseline = rules.away_from_baseline(of_site, week, np.tile(DEFAULT_MIX, (len(of_site), 1)), first)
    groups.append(transitions(baseline.evidence, baseline.judged).opened)
    owners.append(np.arange(len(of_site)))
    return single, np.concatenate(groups), np.concatenate(owners)


def evidently(_: Years, mix: Floats, histograms: Floats) -> Alerts:
    """Column drift by Evidently's defaults: each camera's day is compared with its previous 28 days.

    The defaults for more than 1000 reference events are: for the confidence, the Wasserstein-1 distance divided by the
    reference's standard deviation is at least 0.1; for the event type, the Jensen–Shannon distance is at least 0.1. A
    camera alarms if either column drifts.
    """
    drifted = np.zeros(mix.shape[:2], dtype=bool)
    for day in range(WARM_UP_DAYS, mix.shape[1]):
        before = slice(day - REFERENCE_DAYS, day)
        reference, today = histograms[:, before].sum(axis=1), histograms[:, day]
        share = reference / reference.sum(axis=-1, keepdims=True)
        mean = (share * CENTERS).sum(axis=-1)
        deviation = np.sqrt((share * CENTERS**2).sum(axis=-1) - mean**2)
        with np.errstate(invalid="ignore", divide="ignore"):
            distance = np.abs(np.cumsum(share - today / today.sum(axis=-1, keepdims=True), axis=-1)).sum(axis=-1) / BINS
            types = _jensen_shannon(_shares(mix[:, day]), _shares(mix[:, before].sum(axis=1)))
            drifted[:, day] = (distance / deviation >= 0.1) | (types >= 0.1)
    return _rising(drifted), np.zeros((0, mix.shape[1]), dtype=bool), np.zeros(0, dtype=np.int64)


def plain_threshold(_: Years, mix: Floats, histograms: Floats) -> Alerts:
    """A camera's day alarms if its mean is below the floor or more than 15 % of its events differ from the baseline."""
    means, counts = _means(histograms), mix.sum(axis=-1)
    with np.errstate(invalid="ignore"):
        drifted = (means < FLOOR) | (total_variation(_shares(mix), np.array(DEFAULT_MIX)) > 0.15)
    drifted &= counts > 0
    return _rising(drifted), np.zeros((0, mix.shape[1]), dtype=bool), np.zeros(0, dtype=np.int64)


JUDGES: dict[str, Judge] = {
    "Floorhouse": ours,
    "Evidently's defaults, daily": evidently,
    "plain daily threshold": plain_threshold,
}


def _means(histograms: Floats) -> Floats:
    means: Floats = (histograms * CENTERS).sum(axis=-1) / np.maximum(histograms.sum(axis=-1), 1)
    return means


def _shares(counts: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        shares: Floats = counts / counts.sum(axis=-1, keepdims=True)
    return shares


def _jensen_shannon(left: Floats, right: Floats) -> Floats:
    """The distance with base 2, like scipy.spatial.distance.jensenshannon(base=2)."""
    middle = (left + right) / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        parts = [np.where(side > 0, side * np.log2(side / middle), 0.0).sum(axis=-1) for side in (left, right)]
    distance: Floats = np.sqrt(np.maximum((parts[0] + parts[1]) / 2, 0))
    return distance


def _rising(drifted: Flags) -> Flags:
    """Flags of the days on which an alarm begins, within the counted year."""
    begins = drifted.copy()
    begins[:, 1:] &= ~drifted[:, :-1]
    begins[:, :WARM_UP_DAYS] = False
    return begins
