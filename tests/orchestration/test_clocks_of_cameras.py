"""A camera ahead of the clock and one whose clock has stopped: each is reported by itself and affects no other."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import duckdb
import pytest

from ingestion.warehouse import open_warehouse
from quality.checks import counts
from quality.checks.freshness import read_heard
from quality.checks.old_events import old_event_results
from tests.plant import Plant

NOW = datetime(2026, 1, 15, 10, tzinfo=UTC)
DAY = date(2026, 1, 15)


def events(camera: str, *instants: str | datetime) -> str:
    """A line for each instant, all of one station."""
    return "".join(
        json.dumps(
            {
                "timestamp": instant if isinstance(instant, str) else instant.isoformat(),
                "workstation_id": "S1",
                "event_type": "working",
                "confidence": 0.9,
                "site_id": "north",
                "camera_id": camera,
            }
        )
        + "\n"
        for instant in instants
    )


def every_quarter(start: datetime, end: datetime) -> list[datetime]:
    return [start + timedelta(minutes=15 * number) for number in range(int((end - start) / timedelta(minutes=15)) + 1)]


def camera_days(plant: Plant) -> dict[tuple[str, date], dict[str, Any]]:
    return {(row["camera_id"], row["event_date"]): row for row in plant.mart("camera_days")}


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Plant:
    """C1 is right. C2 is 16 hours ahead, so that its date is tomorrow. C3 has started again in 2000."""
    plant = Plant(tmp_path_factory.mktemp("clocks"), registry_still_seconds=0)
    plant.drop("events/c1.jsonl", events("C1", *every_quarter(NOW - timedelta(hours=10), NOW - timedelta(minutes=30))))
    plant.drop("events/c2.jsonl", events("C2", *every_quarter(NOW + timedelta(hours=8), NOW + timedelta(hours=16))))
    plant.drop("events/c3.jsonl", events("C3", "2000-01-01T00:00:05Z", "2000-01-01T00:10:00Z"))
    plant.batch(NOW)
    return plant


@pytest.fixture
def warehouse(plant: Plant) -> Any:
    with open_warehouse(plant.settings) as connection:
        connection.execute("set search_path = 'marts'")
        yield connection


def test_a_camera_ahead_of_the_clock_lengthens_no_others_silence(plant: Plant) -> None:
    days = camera_days(plant)
    # All shifts together cover the whole day, judged up to 09:30.
    assert days["C1", DAY]["scheduled_seconds"] == 9.5 * 3600
    assert (days["C1", DAY]["coverage"], days["C1", DAY]["longest_silence_seconds"]) == (1, 900)
    tomorrow = days["C1", DAY + timedelta(days=1)]
    assert (tomorrow["scheduled_seconds"], tomorrow["coverage"], tomorrow["longest_silence_seconds"]) == (0, None, None)


def test_a_camera_ahead_of_the_clock_satisfies_no_freshness(warehouse: duckdb.DuckDBPyConnection) -> None:
    for hours in (0, 20, 100):  # its instants pass meanwhile
        [heard] = read_heard(warehouse, NOW + timedelta(hours=hours))
        assert heard.last_event_at == NOW - timedelta(minutes=30)


def test_a_camera_ahead_of_the_clock_is_judged_on_the_day_it_happens(warehouse: duckdb.DuckDBPyConnection) -> None:
    found = [one for one in counts.landing_count_results(warehouse, DAY, DAY) if one.check_name == counts.CLOCK.name]
    [ahead] = [one for one in found if one.is_evidence]
    assert (ahead.cell.camera_id, ahead.evidence_date, ahead.observed) == ("C2", DAY, 16 * 3600)
    assert ahead.sentence == (
        "Site north, camera C2: its clock runs at least 57600 s ahead: it sent events before their time."
    )


def test_events_of_a_stopped_clock_are_counted_apart_and_warned_of_at_once(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    [old] = old_event_results(warehouse, DAY - timedelta(days=29), DAY, 400)
    assert (old.cell.camera_id, old.evidence_date, old.observed, old.is_strong) == ("C3", DAY, 2, True)
    assert old.sentence == (
        "Site north, camera C3: 2 events are dated on 2000-01-01, more than 400 days before the site's newest event "
        "(2026-01-15): its clock may have stopped."
    )
    [fine] = old_event_results(warehouse, DAY - timedelta(days=29), DAY, 36_500)
    assert (fine.status, fine.cell.camera_id) == ("pass", "")
    [days_later] = old_event_results(warehouse, DAY + timedelta(days=1), DAY + timedelta(days=1), 400)
    assert days_later.status == "pass"


def test_what_had_not_come_yet_is_judged_when_it_has(plant: Plant) -> None:
    """The second batch has events of C1 from the day after next, so tomorrow, known only from C2, is judged.

    The result equals that of a rebuild.
    """
    later = NOW + timedelta(days=2)
    plant.drop("events/c1-later.jsonl", events("C1", *every_quarter(later - timedelta(hours=4), later)))
    plant.batch(later + timedelta(minutes=5))
    days = camera_days(plant)
    tomorrow = days["C1", DAY + timedelta(days=1)]
    assert (tomorrow["scheduled_seconds"], tomorrow["coverage"]) == (24 * 3600, 0)
    assert days["C1", DAY + timedelta(days=2)]["scheduled_seconds"] == 10 * 3600

    again = Plant(plant.settings.data_dir, last_event_minutes=31)  # everything is computed again, with a 31st minute
    again.batch(later + timedelta(minutes=6))
    for key, row in camera_days(again).items():
        assert row["scheduled_seconds"] == days[key]["scheduled_seconds"]
        assert row["longest_silence_seconds"] == days[key]["longest_silence_seconds"]
