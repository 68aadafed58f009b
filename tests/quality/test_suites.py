from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from ingestion.contract.events import EVENT_TYPES
from quality.checks.results import CheckResult
from quality.drift.baselines import DEFAULT_MIX, Baseline
from quality.expectations.suites import SUITES, Plant, Suite
from quality.expectations.validate import validate

PLANT = Plant({"north": Baseline()})
BASELINE = dict(zip(EVENT_TYPES, DEFAULT_MIX, strict=True))
SUITE_BY_CHECK = {name: suite for suite in SUITES for name in suite.checks}


def judge(check: str, frame: pd.DataFrame) -> CheckResult:
    suite = SUITE_BY_CHECK[check]
    return {result.name: result for result in validate(suite.mart, suite.expectations(PLANT), frame)}[check]


def landing_days(**changes: object) -> pd.DataFrame:
    day = {"landed_on": "2026-01-05", "records": 1000, "rejected": 10, "unaccounted_records": 0}
    day |= {"age_days": 0}
    return pd.DataFrame([day, {**day, "landed_on": "2026-01-06", **changes}])


def model_days(**changes: object) -> pd.DataFrame:
    day = {"site_id": "north", "event_date": "2026-01-05", "event_count": 900, "mean_confidence": 0.93, "age_days": 1}
    return pd.DataFrame([day, {**day, "event_date": "2026-01-06", **changes}])


def worker_dates(**changes: object) -> pd.DataFrame:
    date = {"site_id": "north", "shift_date": "2026-01-05", "worker_shifts": 12, "lowest_utilization": 0.2}
    date |= {"highest_utilization": 1.0, "untracked_seconds": 1e-9, "age_days": 0}
    return pd.DataFrame([date, {**date, "shift_date": "2026-01-06", **changes}])


def event_mix(counts: dict[str, int], events: float = 1.0) -> pd.DataFrame:
    rows = [event_type for event_type, count in counts.items() for _ in range(count)]
    total = round(len(rows) * events)
    return pd.DataFrame({"site_id": "north", "event_type": rows, "events": events, "total_events": total})


def judged(check: str, **changes: object) -> pd.DataFrame:
    cell = {"check_name": check, "cell": "site north", "evidence_date": "2026-01-05", "sample_size": 900}
    cell |= {"evidence": 0, "is_judged": 1, "sentence": "Site north: 1.0% of what landed.", "extent": -0.04}
    return pd.DataFrame([cell, {**cell, "cell": "site south", **changes}])


LIKE_THE_BASELINE = {event_type: round(1000 * share) for event_type, share in BASELINE.items()}

CASES = {
    "no record is lost": ("every_record_is_accounted_for", landing_days(), "passed"),
    "a record is lost": ("every_record_is_accounted_for", landing_days(unaccounted_records=1), "failed"),
    "no evidence": ("few_records_are_rejected", judged("few_records_are_rejected"), "passed"),
    "evidence": ("few_records_are_rejected", judged("few_records_are_rejected", evidence=1), "failed"),
    "confidence in range": ("confidence_is_a_probability", model_days(), "passed"),
    "confidence above 1": ("confidence_is_a_probability", model_days(mean_confidence=1.01), "failed"),
    "the baseline's mix": ("event_mix_divergence_is_small", event_mix(LIKE_THE_BASELINE), "passed"),
    "only idle": ("event_mix_divergence_is_small", event_mix({"idle": 1000}), "failed"),
    "utilization 0.2 to 1": ("utilization_is_at_most_1", worker_dates(), "passed"),
    "nobody was present": ("utilization_is_at_most_1", worker_dates(highest_utilization=None), "passed"),
    "utilization above 1": ("utilization_is_at_most_1", worker_dates(highest_utilization=1.2), "failed"),
    "utilization below 0": ("utilization_is_at_least_0", worker_dates(lowest_utilization=-0.1), "failed"),
    "states add up": ("tracked_time_is_the_sum_of_its_states", worker_dates(), "passed"),
    "a second is in no state": ("tracked_time_is_the_sum_of_its_states", worker_dates(untracked_seconds=1.0), "failed"),
}


@pytest.mark.parametrize(("check", "frame", "status"), CASES.values(), ids=CASES.keys())
def test_a_check_passes_on_good_cells_and_fails_on_a_bad_one(check: str, frame: pd.DataFrame, status: str) -> None:
    assert judge(check, frame).status == status


def test_a_failed_check_says_what_was_seen_where_and_what_is_allowed() -> None:
    result = judge("confidence_is_a_probability", model_days(mean_confidence=1.5))
    assert (result.observed, result.threshold, result.severity) == (1.5, "0 to 1", "critical")
    assert result.sample_size == 1800
    assert "1 of 2 cells" in result.sentence
    assert "site_id north, event_date 2026-01-06" in result.sentence


@pytest.mark.parametrize(("check", "frame"), [case[:2] for case in CASES.values() if case[2] == "failed"])
def test_a_failed_check_says_what_is_wrong_and_not_what_would_be_right(check: str, frame: pd.DataFrame) -> None:
    expectations: Any = SUITE_BY_CHECK[check].expectations(PLANT).expectations
    right = {one.meta["name"]: one.description for one in expectations}
    assert right[check] not in judge(check, frame).sentence


def test_the_worst_of_several_cells_is_the_one_furthest_from_its_limit() -> None:
    check = "few_records_are_rejected"
    bad = {"evidence": 1, "is_judged": 1, "check_name": check, "evidence_date": "2026-01-05", "sample_size": 900}
    rows = [
        {**bad, "cell": f"site {name}", "sentence": f"Site {name}: {share:.0%} was rejected.", "extent": share - 0.05}
        for name, share in (("east", 0.06), ("west", 0.4), ("south", 0.07))
    ]
    frame = pd.concat([judged(check), pd.DataFrame(rows)], ignore_index=True)
    assert judge(check, frame).sentence == "3 of 5 cells, the worst: Site west: 40% was rejected."


def test_a_passed_check_shows_the_cell_nearest_to_the_limit() -> None:
    result = judge("confidence_is_a_probability", model_days(mean_confidence=0.99))
    assert result.observed == 0.99
    assert "2026-01-06" in result.sentence


def test_the_divergence_of_a_scaled_down_frame_counts_the_events_that_its_rows_stand_for() -> None:
    result = judge("event_mix_divergence_is_small", event_mix(LIKE_THE_BASELINE, events=12.5))
    assert result.sample_size == 12_500
    assert result.observed == pytest.approx(0, abs=0.01)


def test_a_type_outside_the_baseline_keeps_the_divergence_finite() -> None:
    result = judge("event_mix_divergence_is_small", event_mix({**LIKE_THE_BASELINE, "sleeping": 1}))
    assert result.status == "passed"
    assert result.observed is not None
    assert result.observed < 0.1


@pytest.mark.parametrize(
    ("check", "frame"),
    [
        ("few_records_are_rejected", judged("few_records_are_rejected", is_judged=0).tail(1)),
        ("event_mix_divergence_is_small", event_mix({"idle": 199})),
        ("utilization_is_at_most_1", worker_dates().head(0)),
    ],
)
def test_a_sample_that_is_too_small_is_neither_an_alarm_nor_an_all_clear(check: str, frame: pd.DataFrame) -> None:
    result = judge(check, frame)
    assert result.status == "insufficient_data"
    assert result.observed is None


def test_a_check_that_cannot_be_evaluated_has_failed_and_says_why() -> None:
    result = judge("utilization_is_at_most_1", worker_dates().drop(columns="highest_utilization"))
    assert result.status == "failed"
    assert "could not be judged" in result.sentence


@pytest.mark.parametrize("suite", SUITES, ids=[suite.expectations.__name__ for suite in SUITES])
def test_every_expectation_has_its_announced_name_a_rule_in_words_and_the_harm_it_prevents(suite: Suite) -> None:
    expectations = suite.expectations(PLANT).expectations
    assert tuple((expectation.meta or {})["name"] for expectation in expectations) == suite.checks
    assert all(expectation.description and expectation.notes for expectation in expectations)
