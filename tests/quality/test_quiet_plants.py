"""Every rule's p-values are correct in plants without drift in which all days differ."""

from __future__ import annotations

import numpy as np
import pytest

from quality.drift import rules
from tests.quality.quiet_plants import HISTORY, QuietPlants, quiet_plants


@pytest.fixture(scope="module")
def quiet() -> QuietPlants:
    return quiet_plants(seed=4, sites=120)


RULES = {
    "mean": lambda one: rules.drop_of_mean(one.means, one.counts, one.weekdays, one.sites, HISTORY),
    "low share": lambda one: rules.rise_of_low_confidence(one.low_shares, one.counts, one.weekdays, one.sites, HISTORY),
    "distribution": lambda one: rules.change_of_distribution(one.histograms, one.weekdays, one.sites, HISTORY),
    "mix": lambda one: rules.shift_of_mix(one.mix, one.weekdays, one.sites, HISTORY),
    "volume": lambda one: rules.fall_of_volume(one.counts, one.weekdays, one.sites, HISTORY),
    "coverage": lambda one: rules.fall_of_coverage(one.coverage, one.weekdays, one.sites, HISTORY),
    "lateness": lambda one: rules.rise_of_lateness(one.late_shares, one.counts, one.weekdays, one.sites, HISTORY),
}


@pytest.mark.parametrize("rule", RULES)
def test_a_site_day_without_drift_is_significant_at_most_half_as_often_again_as_nominal(
    quiet: QuietPlants, rule: str
) -> None:
    found = RULES[rule](quiet)
    p = np.where(found.judged, found.p, 1.0)[:, HISTORY:]
    of_site = p.reshape(-1, 6, p.shape[1]).min(axis=1)  # six cameras per site
    assert found.judged[:, HISTORY:].mean() > 0.9
    assert (of_site < rules.ALPHA).mean() <= 1.5 * rules.ALPHA


def test_a_rise_of_the_low_share_is_still_found_the_same_day(quiet: QuietPlants) -> None:
    shares = quiet.low_shares.copy()
    shares[::6, HISTORY + 5 :] += 0.12
    found = rules.rise_of_low_confidence(shares, quiet.counts, quiet.weekdays, quiet.sites, HISTORY)
    assert found.evidence[::6, HISTORY + 5].mean() > 0.85
