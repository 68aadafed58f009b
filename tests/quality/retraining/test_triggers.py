from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from quality.retraining.agreement import ERROR, evidence, upper_bound
from quality.retraining.requests import Request, close_answered, open_new, request_id
from quality.retraining.triggers import (
    Day,
    Finding,
    Reviewed,
    accuracy_too_low,
    confidence_below_floor,
    event_mix_moved,
    is_due,
)

FIRST = date(2026, 1, 1)
BASELINE = {"working": 0.70, "idle": 0.20, "absent": 0.05, "product_count": 0.05}


def days(*means: float, count: int = 1000, working: float = 0.7) -> list[Day]:
    idle = 0.9 - working
    counts = {"working": round(working * count), "idle": round(idle * count)}
    counts |= {"absent": count // 20, "product_count": count // 20}
    return [Day(FIRST + timedelta(days=place), mean, counts) for place, mean in enumerate(means)]


@pytest.mark.parametrize(
    ("means", "status"),
    [
        ((0.9, 0.84, 0.84, 0.84), "fires"),
        ((0.84, 0.84, 0.85), "quiet"),  # the floor itself is not below the floor
        ((0.84, 0.86, 0.84), "quiet"),
        ((0.5, 0.5, 0.5, 0.9), "quiet"),  # it is over now
        ((0.5, 0.5), "insufficient_data"),
        ((), "insufficient_data"),
    ],
    ids=str,
)
def test_confidence_asks_after_three_days_in_a_row_under_the_floor(means: tuple[float, ...], status: str) -> None:
    assert confidence_below_floor(days(*means), 0.85, 3).status == status


def test_a_day_of_few_events_decides_nothing() -> None:
    few = Day(FIRST + timedelta(days=9), 0.1, {"working": 199})
    assert confidence_below_floor([*days(0.5, 0.5, 0.5), few], 0.85, 3).status == "insufficient_data"


def test_days_without_events_do_not_end_a_row() -> None:
    weekend = [Day(FIRST + timedelta(days=gap), 0.8, {"working": 500}) for gap in (0, 1, 4)]
    assert confidence_below_floor(weekend, 0.85, 3).status == "fires"


@pytest.mark.parametrize(
    ("working", "status"), [(0.70, "quiet"), (0.56, "quiet"), (0.54, "fires"), (0.30, "fires")], ids=str
)
def test_the_mix_asks_when_more_than_15_percent_moved(working: float, status: str) -> None:
    finding = event_mix_moved(days(*[0.9] * 7, working=working), BASELINE, 0.15)
    assert finding.status == status
    assert finding.observed == pytest.approx(abs(0.7 - working))


def test_one_odd_day_is_not_a_moved_mix() -> None:
    odd = Day(FIRST + timedelta(days=7), 0.9, {"idle": 4000})
    finding = event_mix_moved([*days(*[0.9] * 6), odd], BASELINE, 0.15)
    assert finding.observed is not None
    assert finding.observed > 0.15
    assert finding.status == "quiet"


def test_a_mix_of_few_days_or_events_decides_nothing() -> None:
    assert event_mix_moved(days(0.9, 0.9, working=0.1), BASELINE, 0.15).status == "insufficient_data"
    assert event_mix_moved(days(*[0.9] * 7, count=100, working=0.1), BASELINE, 0.15).status == "insufficient_data"


def test_only_the_last_seven_days_of_a_mix_count() -> None:
    recent = [Day(day.event_date + timedelta(days=20), 0.9, day.counts) for day in days(*[0.9] * 7)]
    assert event_mix_moved([*days(*[0.9] * 7, working=0.1), *recent], BASELINE, 0.15).status == "quiet"


def reviewed(share: float, days: int = 30, a_day: int = 20, **more: int) -> Reviewed:
    """Labels of `days` days in which people agree with this share of the events."""
    correct = round(share * a_day)
    return Reviewed(days * a_day, days * correct, [correct / a_day] * days, **more)


@pytest.mark.parametrize(
    ("labels", "status"),
    [
        (reviewed(0.1, days=4), "insufficient_data"),
        (Reviewed(), "insufficient_data"),
        (reviewed(0.95, days=5), "quiet"),  # 95 % of 100 events do not prove a low accuracy
        (reviewed(0.85, days=5), "quiet"),  # 85 % of 100 events do not prove yet that the accuracy is below 90 %
        (reviewed(0.90, days=300), "quiet"),  # the limit itself is not below the limit
        (reviewed(0.85, days=60), "fires"),
        (reviewed(0.60, days=9), "fires"),
    ],
)
def test_accuracy_asks_when_it_is_shown_to_be_under_the_limit(labels: Reviewed, status: str) -> None:
    finding = accuracy_too_low(labels, 0.9, 100)
    assert finding.status == status
    if status != "insufficient_data":
        assert ("not shown" in finding.sentence) == (status == "quiet")
        assert finding.observed is not None
        assert (finding.observed < 0.9) == (status == "fires")


def test_what_reviewers_get_wrong_is_not_the_models_fault() -> None:
    # People agree with 85 % of the events, but with each other on 81 %: each of them errs in a tenth of the events.
    labels = reviewed(0.85, days=60, shared=100, unanimous=81)
    assert accuracy_too_low(labels, 0.9, 100).status == "quiet"
    assert accuracy_too_low(replace(labels, unanimous=99), 0.9, 100).status == "fires"
    assert accuracy_too_low(replace(labels, shared=29, unanimous=20), 0.9, 100).status == "fires"  # too few to decide


def test_a_bad_month_is_found_behind_a_good_year() -> None:
    year = [1.0] * 330 + [0.75] * 30
    assert accuracy_too_low(Reviewed(600, 450, year), 0.9, 100).status == "fires"


def test_days_without_a_label_change_nothing() -> None:
    gaps = [share for share in [0.6] * 9 for share in (share, math.nan)]
    assert upper_bound(np.array(gaps)) == pytest.approx(upper_bound(np.array([0.6] * 9)))


def test_ninety_daily_looks_ask_falsely_in_at_most_one_of_twenty_cases() -> None:
    """Days differ (shares from a beta distribution), each has few labels, and some have none."""
    random = np.random.default_rng(20260301)

    def asked(accuracy: float, labels_a_day: float) -> float:
        of_day = random.beta(accuracy * 25, (1 - accuracy) * 25, (1500, 90))
        labelled = random.poisson(labels_a_day, of_day.shape)
        shares = np.where(labelled > 0, random.binomial(labelled, of_day) / np.maximum(labelled, 1), np.nan)
        return float((evidence(shares, 0.9).max(axis=1) >= 1 / ERROR).mean())

    assert asked(0.90, 3.3) <= 0.05
    assert asked(0.90, 20) <= 0.05
    assert asked(0.95, 3.3) <= 0.005
    assert asked(0.80, 3.3) >= 0.85
    assert asked(0.75, 3.3) >= 0.99


def test_a_model_is_due_after_so_many_days() -> None:
    assert is_due(date(2026, 1, 31), FIRST, 30).status == "fires"
    assert is_due(date(2026, 1, 30), FIRST, 30).status == "quiet"


AT = datetime(2026, 1, 31, 12, tzinfo=UTC)
FIRES = Finding("confidence", "fires", 0.8, 0.85, 3000, "Too low.")


def opened(*known: Request, model: tuple[str, str] = ("A", "m"), at: datetime = AT) -> list[Request]:
    return open_new(known, model, "1", at, [FIRES, Finding("schedule", "quiet", 1, 30, 1, "Not yet.")], at)


def test_there_is_one_open_request_for_each_site_model_and_reason() -> None:
    (request,) = opened()
    assert (request.reason, request.status) == ("confidence", "open")
    assert opened(request, at=AT + timedelta(days=1)) == []
    assert len(opened(request, model=("B", "m"))) == len(opened(request, model=("A", "n"))) == 1
    (closed,) = close_answered([request], {("A", "m", "2"): AT + timedelta(hours=1)})
    assert len(opened(closed, at=AT + timedelta(days=1))) == 1


def test_a_request_is_closed_by_a_version_that_is_new_to_the_site_only() -> None:
    (request,) = opened()
    first_seen = {
        ("A", "m", "1"): AT - timedelta(days=9),
        ("A", "m", "0"): AT - timedelta(days=30),  # a request may be opened again: a rollback
        ("B", "m", "2"): AT + timedelta(days=1),
        ("A", "n", "2"): AT + timedelta(days=1),
    }
    assert close_answered([request], first_seen) == [request]
    first_seen |= {("A", "m", "3"): AT + timedelta(days=3), ("A", "m", "2"): AT + timedelta(days=2)}
    (closed,) = close_answered([request], first_seen)
    assert (closed.status, closed.closed_by_version, closed.closed_at) == ("closed", "2", AT + timedelta(days=2))
    assert close_answered([closed], first_seen) == [closed]


def test_a_requests_name_is_a_folders_whatever_the_site_is_called() -> None:
    name = request_id(("../Ö /x", "m"), "event_mix", AT)
    assert name.startswith("2026-01-31-event-mix-")
    assert name.isascii()
    assert "/" not in name
    assert name != request_id(("../Ö", " /xm"), "event_mix", AT)
