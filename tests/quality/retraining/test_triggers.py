from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from quality.retraining.requests import Request, close_answered, open_new, request_id
from quality.retraining.triggers import (
    Day,
    Finding,
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
        ((0.84, 0.84, 0.85), "quiet"),  # the floor itself is not under it
        ((0.84, 0.86, 0.84), "quiet"),
        ((0.5, 0.5, 0.5, 0.9), "quiet"),  # over now
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


@pytest.mark.parametrize(
    ("labelled", "correct", "low", "status"),
    [
        (99, 10, 0.05, "insufficient_data"),
        (100, 95, 0.8882, "fires"),  # 95 %, and yet not shown to be 90 %
        (400, 380, 0.924, "quiet"),
        (400, 360, 0.9, "quiet"),  # the limit itself is not under it
        (0, 0, None, "insufficient_data"),
    ],
    ids=str,
)
def test_accuracy_asks_by_the_lower_bound_of_its_interval(
    labelled: int, correct: int, low: float | None, status: str
) -> None:
    assert accuracy_too_low(labelled, correct, low, 0.9, 100).status == status


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
        ("A", "m", "0"): AT - timedelta(days=30),  # it may speak again: a rollback
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
