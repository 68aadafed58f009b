from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from quality.checks.results import Cell, DayResult
from quality.incidents.incident import Incident, merge
from quality.incidents.walk import find_spells

DAYS = [date(2026, 1, 1) + timedelta(days=number) for number in range(30)]
CELL = Cell("north", "cam-1")
NOW = datetime(2026, 1, 31, tzinfo=UTC)


def result(day: date, *, bad: bool, cell: Cell = CELL, metric: str = "confidence_drift") -> DayResult:
    status = "warn" if bad else "pass"
    return DayResult(
        day, "a_check", metric, cell, status, "warning", 0.8, -0.02, 900, -0.1, 1e-9, f"{day} {status}.", False
    )


def of(bad_days: range, until: int = 30, cell: Cell = CELL) -> list[DayResult]:
    return [result(DAYS[at], bad=at in bad_days, cell=cell) for at in range(until)]


def judge(known: list[Incident], results: list[DayResult], now: datetime = NOW) -> list[Incident]:
    """Judge as a batch does whose newest day is that of the newest result."""
    days = [day for day in DAYS if day <= max(result.evidence_date for result in results)]
    return merge(known, find_spells(results, {}, days), now, days)


def test_a_stretch_of_evidence_is_one_incident_with_its_days() -> None:
    [incident] = judge([], of(range(10, 20)))
    assert (incident.first_evidence_date, incident.last_evidence_date) == (DAYS[10], DAYS[19])
    assert incident.status == "closed"
    assert "Recovered: back at the level from before it for 3 days." in (incident.closing_sentence or "")
    assert incident.sentence == "2026-01-20 warn."


def test_the_same_data_judged_twice_gives_the_same_incidents() -> None:
    results = of(range(10, 30))
    once = judge([], results)
    assert judge(once, results, NOW + timedelta(hours=1)) == once
    assert once[0].status == "open"


def test_an_incident_that_goes_on_keeps_its_name_and_its_opening() -> None:
    [opened] = judge([], of(range(10, 30), until=15), NOW)
    [later] = judge([opened], of(range(10, 20)), NOW + timedelta(days=10))
    assert later.incident_id == opened.incident_id
    assert later.opened_at == NOW
    assert (later.status, later.closed_at) == ("closed", NOW + timedelta(days=10))


def test_late_events_that_move_the_first_day_make_no_second_incident() -> None:
    [opened] = judge([], of(range(10, 30), until=15))
    [later] = judge([opened], of(range(8, 30), until=15))
    assert later.incident_id == opened.incident_id


def test_late_events_that_take_the_evidence_away_close_the_incident_and_say_so() -> None:
    [opened] = judge([], of(range(10, 30), until=15))
    [later] = judge([opened], of(range(0), until=16))
    assert later.status == "closed"
    assert "Withdrawn" in (later.closing_sentence or "")


def test_a_closed_incident_stays_closed_and_new_evidence_is_a_new_one() -> None:
    [closed] = judge([], of(range(2, 8), until=15))
    both = judge([closed], [result(DAYS[at], bad=at in (*range(2, 8), *range(20, 26))) for at in range(26)])
    assert [one.status for one in both] == ["closed", "open"]
    assert both[0].incident_id == closed.incident_id != both[1].incident_id


def test_an_incident_whose_camera_fell_silent_stays_open_until_it_is_forgotten() -> None:
    elsewhere = of(range(0), cell=Cell("north", "cam-2"))
    [incident] = judge([], [*of(range(5, 12), until=12), *elsewhere])
    assert incident.status == "open"
    days = [DAYS[0] + timedelta(days=number) for number in range(50)]
    [spell] = find_spells([*of(range(5, 12), until=12)], {}, days)
    assert (spell.ending, spell.closed_on) == ("gone", DAYS[11] + timedelta(days=30))
    assert "nothing that could be judged" in (spell.closing_sentence or "")


def test_cameras_of_one_model_version_that_change_together_are_one_incident() -> None:
    cells = [Cell("north", f"cam-{number}") for number in range(4)]
    version = Cell("north", "", "eye", "2.0")
    results = [one for cell in cells for one in of(range(10, 30), cell=cell)]
    named = {(cell, day): version for cell in cells for day in DAYS}
    [spell] = find_spells(results, named, DAYS)
    assert spell.cell == version
    assert "4 cameras changed together" in spell.sentence
