from __future__ import annotations

import math
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from quality.drift import distances, rules
from quality.drift.baselines import DEFAULT_MIX, Baseline, resolve
from quality.drift.grouping import group_evidence
from quality.drift.hysteresis import CLOSE_AFTER, GONE_AFTER, OPEN_AFTER, OPEN_AMONG, transitions
from quality.drift.reference import Floats
from quality.drift.significance import adjust_for_cells, chi_square_p, design_effect, student_p

SHARES = st.lists(st.floats(0.01, 1), min_size=4, max_size=4).map(lambda parts: np.array(parts) / sum(parts))
HISTOGRAMS = (
    st.lists(st.integers(0, 1000), min_size=50, max_size=50).filter(sum).map(lambda bins: np.array(bins, float))
)
CENTERS = (np.arange(50) + 0.5) / 50
DAYS = 63
WEEKDAYS = np.arange(DAYS) % 7
ONE_SITE = np.zeros(3, dtype=np.int64)


def steady(random: np.random.Generator, level: float = 0.93, deviation: float = 0.01) -> Floats:
    return level + deviation * random.standard_normal((3, DAYS))


@given(SHARES, SHARES)
def test_total_variation_is_the_share_that_would_have_to_move(left: Floats, right: Floats) -> None:
    assert distances.total_variation(left, right) == pytest.approx(np.maximum(left - right, 0).sum())


@given(SHARES)
def test_a_type_that_the_baseline_does_not_know_is_far_but_not_infinitely_far(shares: Floats) -> None:
    assert distances.kl_divergence(shares, shares) == pytest.approx(0)
    unknown = distances.kl_divergence(np.array([0, 0, 0, 1.0]), np.array([0.5, 0.5, 0, 0]))
    assert 1 < unknown < math.inf


@given(HISTOGRAMS, HISTOGRAMS)
@settings(max_examples=50)
def test_distances_of_histograms_are_those_of_scipy_on_their_bins(left: Floats, right: Floats) -> None:
    assert distances.wasserstein_1(left, right) == pytest.approx(
        stats.wasserstein_distance(CENTERS, CENTERS, left, right), abs=1e-9
    )
    cumulative = np.abs(np.cumsum(left) / left.sum() - np.cumsum(right) / right.sum())
    assert distances.kolmogorov_smirnov(left, right) == pytest.approx(cumulative.max())


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_the_correction_for_many_cells_is_that_of_scipy(p_values: list[float]) -> None:
    column = np.array(p_values)[:, None]
    adjusted = adjust_for_cells(column, np.zeros(len(p_values), dtype=np.int64))
    assert adjusted[:, 0] == pytest.approx(stats.false_discovery_control(p_values))


def test_cells_are_corrected_within_their_site_and_unjudged_ones_do_not_count() -> None:
    p = np.array([[0.01], [np.nan], [0.04]])
    assert adjust_for_cells(p, np.array([0, 0, 1]))[:, 0] == pytest.approx([0.01, np.nan, 0.04], nan_ok=True)


def test_p_values_are_those_of_scipy() -> None:
    assert student_p(np.array([-2.0]), np.array([9.0]), two_sided=False)[0] == pytest.approx(stats.t.cdf(-2, 9))
    assert student_p(np.array([2.0]), np.array([9.0]), two_sided=True)[0] == pytest.approx(2 * stats.t.sf(2, 9))
    counts, shares = np.array([60.0, 25, 10, 5]), np.array(DEFAULT_MIX)
    exact = stats.chisquare(counts, shares * 100)[1]
    assert chi_square_p(counts, shares, np.array(1.0), np.array(1e9)) == pytest.approx(exact, rel=1e-3)


def test_events_that_come_in_runs_have_the_design_effect_of_their_runs() -> None:
    random = np.random.default_rng(1)
    runs = random.multinomial(100, DEFAULT_MIX, (200, 56)) * 8
    effect, degrees = design_effect(runs.astype(float), np.arange(56) % 7, prior=8, prior_days=4)
    assert effect.mean() == pytest.approx(8, rel=0.05)
    assert (degrees == 3 * (56 - 7 + 4)).all()


def test_a_drop_is_evidence_and_a_day_that_is_like_the_others_is_not() -> None:
    means = steady(np.random.default_rng(2))
    means[0, -3:] -= 0.08
    judged = rules.drop_of_mean(means, np.full(means.shape, 900.0), WEEKDAYS, ONE_SITE)
    assert judged.evidence[0, -3:].all()
    assert not judged.evidence[1:].any()
    assert judged.effect[0, -1] == pytest.approx(-0.08, abs=0.03)


def test_a_weekday_that_is_always_different_is_no_drift() -> None:
    means = steady(np.random.default_rng(3), deviation=0.004)
    means[:, WEEKDAYS == 6] -= 0.10
    judged = rules.drop_of_mean(means, np.full(means.shape, 900.0), WEEKDAYS, ONE_SITE)
    assert not judged.evidence[:, 35:].any()
    means[:, -2] -= 0.10  # this level is usual on other days, but never on a Saturday
    assert rules.drop_of_mean(means, np.full(means.shape, 900.0), WEEKDAYS, ONE_SITE).evidence[:, -2].all()


def test_too_few_events_or_too_short_a_past_are_no_judgement() -> None:
    means = steady(np.random.default_rng(4))
    means[:, -1] = 0.2
    few = np.full(means.shape, float(rules.SMALLEST_SAMPLE - 1))
    assert not rules.drop_of_mean(means, few, WEEKDAYS, ONE_SITE).judged.any()
    young = rules.drop_of_mean(means, few + 1, WEEKDAYS, ONE_SITE)
    assert not young.judged[:, :20].any()
    assert young.judged[:, 40:].all()
    assert np.isnan(young.p[:, :20]).all()


def test_an_effect_that_is_sure_but_small_and_one_that_is_large_but_unsure_are_no_evidence() -> None:
    random = np.random.default_rng(5)
    sure = steady(random, deviation=0.0005)
    sure[:, -7:] -= 0.01
    unsure = steady(random, deviation=0.05)
    unsure[:, -1] -= 0.05
    counts = np.full(sure.shape, 900.0)
    assert rules.drop_of_mean(sure, counts, WEEKDAYS, ONE_SITE).p[:, -1].max() < rules.ALPHA
    assert not rules.drop_of_mean(sure, counts, WEEKDAYS, ONE_SITE).evidence.any()
    assert not rules.drop_of_mean(unsure, counts, WEEKDAYS, ONE_SITE).evidence[:, -1].any()


def test_a_camera_far_below_the_floor_is_evidence_on_its_first_day() -> None:
    means, counts = np.array([[0.5], [0.95]]), np.full((2, 1), 300.0)
    judged = rules.below_floor(means, counts, np.array([0]), np.zeros(2, dtype=np.int64), 0.85)
    assert judged.evidence[:, 0].tolist() == [True, False]
    assert judged.strong[:, 0].tolist() == [True, False]


def test_one_strange_day_does_not_make_a_week() -> None:
    means = steady(np.random.default_rng(6))
    means[0, -4] -= 0.4
    judged = rules.drop_of_mean(means, np.full(means.shape, 900.0), WEEKDAYS, ONE_SITE)
    assert judged.evidence[0, -4]
    assert not judged.evidence[0, -3:].any()


def test_a_distribution_that_spreads_is_evidence_though_its_mean_stays() -> None:
    random = np.random.default_rng(7)
    narrow, wide = np.zeros(50), np.zeros(50)
    narrow[44:48], wide[[38, 39, 48, 49]] = 0.25, [0.13, 0.12, 0.375, 0.375]
    assert (narrow * CENTERS).sum() == pytest.approx((wide * CENTERS).sum(), abs=0.015)
    histograms = random.multinomial(900, narrow, (3, DAYS)).astype(float)
    histograms[0, -7:] = random.multinomial(900, wide, 7)
    judged = rules.change_of_distribution(histograms, WEEKDAYS, ONE_SITE)
    assert judged.evidence[0, -1]
    assert not judged.evidence[1:].any()


def test_a_mix_is_judged_against_its_own_past_and_against_the_sites_baseline() -> None:
    random = np.random.default_rng(9)
    odd = np.array([0.50, 0.40, 0.05, 0.05])
    counts = (random.multinomial(90, odd, (3, DAYS)) * 10).astype(float)
    own = rules.shift_of_mix(counts, WEEKDAYS, ONE_SITE)
    assert not own.evidence.any()  # it has always been so
    away = rules.away_from_baseline(counts, WEEKDAYS, np.tile(DEFAULT_MIX, (3, 1)))
    assert away.evidence[:, 14:].mean() > 0.95
    assert away.effect[:, -1] == pytest.approx(0.20, abs=0.08)
    assert not rules.away_from_baseline(counts, WEEKDAYS, np.tile(odd, (3, 1))).evidence.any()
    counts[0, -7:] = random.multinomial(90, [0.2, 0.7, 0.05, 0.05], 7) * 10
    assert rules.shift_of_mix(counts, WEEKDAYS, ONE_SITE).evidence[0, -1]


def test_a_holiday_of_the_whole_site_is_no_evidence_but_a_camera_that_loses_events_is_found() -> None:
    random = np.random.default_rng(9)
    sites = np.zeros(5, dtype=np.int64)
    counts = random.poisson(900, (5, DAYS)).astype(float)
    counts[:, -10] *= 0.1
    counts[0, -3:] *= 0.3
    judged = rules.fall_of_volume(counts, WEEKDAYS, sites)
    assert judged.evidence[0, -3:].all()
    assert not judged.evidence[1:].any()
    assert not judged.evidence[:, -10].any()


def naive_open(evidence: list[bool | None]) -> list[bool]:
    """The rule's wording, applied day by day over the history."""
    is_open, result, opened_at, closed_at = False, [], -1, -1
    for day in range(len(evidence)):
        seen = [at for at in range(day + 1) if evidence[at] is not None]
        if not is_open:
            recent = [at for at in seen if at > closed_at][-OPEN_AMONG:]
            among = [at for at in seen[-OPEN_AMONG:] if at in recent]
            if evidence[day] and sum(bool(evidence[at]) for at in among) >= OPEN_AFTER:
                is_open, opened_at = True, day
        else:
            clean = [at for at in seen if at > opened_at][-CLOSE_AFTER:]
            last_bad = max(at for at in seen if evidence[at])
            quiet = [at for at in clean if at > last_bad]
            if len(quiet) >= CLOSE_AFTER or day - seen[-1] >= GONE_AFTER:
                is_open, closed_at = False, day
        result.append(is_open)
    return result


@given(st.lists(st.sampled_from([True, False, None]), min_size=1, max_size=40))
def test_hysteresis_is_the_rule_said_in_words(evidence: list[bool | None]) -> None:
    bad, seen = np.array([[bool(one) for one in evidence]]), np.array([[one is not None for one in evidence]])
    found = transitions(bad, seen)
    assert found.is_open[0].tolist() == naive_open(evidence)
    assert found.opened.sum() - found.closed.sum() == found.is_open[0, -1]


def test_cameras_that_change_together_are_one_matter_and_one_alone_is_its_own() -> None:
    evidence = np.array([[True, True], [True, False], [True, False], [False, False]])
    groups = np.zeros((4, 2), dtype=np.int64)
    single, group, _ = group_evidence(evidence, np.ones((4, 2), dtype=bool), groups)
    assert group.tolist() == [[True, False]]
    assert single.tolist() == [[False, True], [False, False], [False, False], [False, False]]


def test_a_sites_baseline_is_its_own_row_then_that_of_all_sites_then_the_default() -> None:
    none: dict[str, object] = {"reference_from": None, "reference_to": None}
    rows: list[dict[str, object]] = [
        {"site_id": "*", "working": 0.6, "idle": 0.3, "absent": 0.05, "product_count": 0.05, **none},
        {"site_id": "north", "reference_from": date(2026, 1, 1), "reference_to": date(2026, 1, 31)},
    ]
    learned = resolve("north", rows, lambda *_: (50, 30, 10, 10))
    assert learned.shares == (0.5, 0.3, 0.1, 0.1)
    assert "2026-01-31" in learned.origin
    assert resolve("south", rows, lambda *_: ()).shares == (0.6, 0.3, 0.05, 0.05)
    assert resolve("north", rows, lambda *_: (0, 0, 0, 0)).shares == DEFAULT_MIX
    assert resolve("north", [], lambda *_: ()) == Baseline()
