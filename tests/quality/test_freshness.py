from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quality.checks.closures import closed_days
from quality.checks.freshness import Heard, Window, changed_sites, freshness, missed_days
from quality.checks.results import DayResult
from quality.incidents.incident import Incident
from quality.incidents.silences import merge_silences

FRIDAY = datetime(2026, 1, 30, 14, tzinfo=UTC)
MINUTES = timedelta(minutes=5)


def windows(weekdays: range, start: int, hours: int, weeks: int = 4, until: datetime = FRIDAY) -> list[Window]:
    """Worked windows on these weekdays, in the weeks before `until`."""
    found = []
    for number in range(7 * weeks):
        day = until.date() - timedelta(days=number)
        begin = datetime(day.year, day.month, day.day, start, tzinfo=UTC)
        if day.weekday() in weekdays and begin < until:
            found.append(Window(day, begin, begin + timedelta(hours=hours)))
    return sorted(found, key=lambda window: window.started_at)


def site(worked: list[Window], last: datetime = FRIDAY, weeks: int = 5, age: timedelta | None = MINUTES) -> Heard:
    return Heard("north", last - timedelta(weeks=weeks), last, age, worked)


def status(heard: Heard, now: datetime) -> str:
    [result] = freshness([heard], now)
    return result.status


ONE_SHIFT = windows(range(5), 6, 8)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (datetime(2026, 1, 30, 15, tzinfo=UTC), "pass"),
        (datetime(2026, 2, 1, 23, tzinfo=UTC), "pass"),  # a Sunday, as every week
        (datetime(2026, 2, 2, 23, tzinfo=UTC), "pass"),  # one Monday off
        (datetime(2026, 2, 3, 9, tzinfo=UTC), "pass"),
        (datetime(2026, 2, 3, 11, tzinfo=UTC), "fail"),  # Monday and more than half of Tuesday
        (datetime(2026, 3, 20, tzinfo=UTC), "fail"),
    ],
)
def test_a_plant_that_works_five_days_is_silent_when_more_than_a_day_and_a_half_of_work_is_missing(
    now: datetime, expected: str
) -> None:
    assert status(site(ONE_SHIFT), now) == expected


@pytest.mark.parametrize(
    ("timezone", "now", "expected"),
    [
        ("Asia/Tokyo", datetime(2026, 1, 30, 15, 1, tzinfo=UTC), "insufficient_data"),  # the 31st in Tokyo
        ("Asia/Tokyo", datetime(2026, 1, 31, 15, 1, tzinfo=UTC), "pass"),
        ("America/Los_Angeles", datetime(2026, 1, 31, 7, 59, tzinfo=UTC), "pass"),  # still the 30th in Los Angeles
        ("America/Los_Angeles", datetime(2026, 2, 1, 7, 59, tzinfo=UTC), "insufficient_data"),
        ("Not/Known", datetime(2026, 1, 31, 0, 1, tzinfo=UTC), "insufficient_data"),
    ],
)
def test_a_closed_date_is_one_of_the_sites_calendar(timezone: str, now: datetime, expected: str) -> None:
    closed = replace(site(ONE_SHIFT), closures=[(date(2026, 1, 31), date(2026, 1, 31))], timezone=timezone)
    assert status(closed, now) == expected


def test_a_utc_day_that_a_closed_dates_window_reaches_is_not_judged() -> None:
    """A night shift in Berlin ends on the next UTC day; a morning shift in Tokyo lies on the previous one."""
    with duckdb.connect() as connection:
        connection.execute(
            """
            set timezone = 'UTC';
            create schema raw; create schema handover;
            create table raw.closures as from (values
                ('*', date '2026-01-14', date '2026-01-14'), ('north', date '2026-01-20', date '2026-01-20')
            ) as closures (site_id, from_date, to_date);
            create table handover.int_shift_windows as
            select site_id, shift_date, shift_date + started as started_at, shift_date + ended as ended_at
            from (values
                ('berlin', interval 5 hours, interval 13 hours), ('berlin', interval 21 hours, interval 29 hours),
                ('tokyo', interval '-3 hours', interval 5 hours), ('early', interval 16 hours, interval 24 hours)
            ) as shifts (site_id, started, ended),
            (select unnest(range(timestamptz '2026-01-10', timestamptz '2026-01-18', interval 1 day)) as shift_date)
            """
        )
        connection.execute(
            "create or replace table handover.int_shift_windows as "
            "select * replace (cast(shift_date as date) as shift_date) from handover.int_shift_windows"
        )
        days = [date(2026, 1, 12) + timedelta(days=number) for number in range(10)]
        found = closed_days(connection, ["berlin", "early", "north", "tokyo"], days)
    assert {site: sorted(day.day for one, day in found if one == site) for site, _ in found} == {
        "berlin": [14, 15],
        "tokyo": [13, 14],
        "early": [14],
        "north": [14, 20],
    }


def test_closed_dates_are_no_silence_and_alarms_go_on_when_they_are_over() -> None:
    closed = replace(site(ONE_SHIFT), closures=[(date(2026, 1, 31), date(2026, 2, 13))])
    assert status(closed, datetime(2026, 2, 10, 12, tzinfo=UTC)) == "insufficient_data"
    assert status(closed, datetime(2026, 2, 14, 12, tzinfo=UTC)) == "pass"
    assert status(closed, datetime(2026, 2, 16, 12, tzinfo=UTC)) == "pass"  # Monday, the first half of the day
    assert status(closed, datetime(2026, 2, 17, 14, tzinfo=UTC)) == "fail"
    ten_days = replace(closed, closures=[(date(2026, 1, 31), date(2026, 2, 9))])
    assert status(ten_days, datetime(2026, 2, 10, 14, tzinfo=UTC)) == "pass"
    assert status(ten_days, datetime(2026, 2, 11, 14, tzinfo=UTC)) == "fail"
    one_day = replace(closed, closures=[(date(2026, 2, 2), date(2026, 2, 2))])
    assert status(one_day, datetime(2026, 2, 3, 14, tzinfo=UTC)) == "pass"
    assert status(site(ONE_SHIFT), datetime(2026, 2, 10, 12, tzinfo=UTC)) == "fail"


def test_an_incident_of_before_a_closure_stays_open_through_it() -> None:
    heard = site(ONE_SHIFT)
    [opened] = walk([], heard, datetime(2026, 2, 10, tzinfo=UTC))
    closed = replace(heard, closures=[(date(2026, 2, 11), date(2026, 2, 20))])
    [still] = walk([opened], closed, datetime(2026, 2, 12, tzinfo=UTC))
    assert (still.incident_id, still.closed_at) == (opened.incident_id, None)


def test_a_plant_that_never_rests_is_silent_after_a_day_and_a_half() -> None:
    always = windows(range(7), 0, 24)
    assert status(site(always), FRIDAY + timedelta(hours=35)) == "pass"
    assert status(site(always), FRIDAY + timedelta(hours=37)) == "fail"


def test_a_week_of_holidays_among_the_four_before_changes_little() -> None:
    off = [window for window in ONE_SHIFT if not date(2026, 1, 12) <= window.shift_date <= date(2026, 1, 16)]
    assert status(site(off), datetime(2026, 2, 3, 11, tzinfo=UTC)) == "fail"


def test_a_site_without_a_usual_week_is_silent_after_four_days() -> None:
    for heard in (site([]), site(ONE_SHIFT[-2:], weeks=0)):
        assert status(heard, FRIDAY + timedelta(days=3)) == "pass"
        assert status(heard, FRIDAY + timedelta(days=4, hours=1)) == "fail"


def test_an_archive_is_never_silent() -> None:
    assert status(site(ONE_SHIFT, age=timedelta(days=9)), FRIDAY + timedelta(days=9)) == "insufficient_data"


def test_a_site_that_closed_down_is_not_judged() -> None:
    assert freshness([site(ONE_SHIFT)], FRIDAY + timedelta(days=61)) == []


@given(st.integers(0, 6), st.integers(0, 23), st.integers(1, 24), st.lists(st.integers(0, 60 * 24 * 7), min_size=2))
def test_what_is_missed_never_gets_less_as_time_goes_on(first: int, start: int, hours: int, minutes: list[int]) -> None:
    heard = site(windows(range(first, 7), start, hours))
    missed = [missed_days(heard, FRIDAY + timedelta(minutes=after)) for after in sorted(minutes)]
    known = [value for value in missed if value is not None]
    assert known == sorted(known)


def walk(known: list[Incident], heard: Heard, now: datetime) -> list[Incident]:
    return merge_silences(known, freshness([heard], now), {heard.site_id: heard.last_event_at}, now)


def test_a_silence_opens_once_goes_on_under_its_name_and_closes_when_the_site_is_heard() -> None:
    tuesday = datetime(2026, 2, 3, 12, tzinfo=UTC)
    assert walk([], site(ONE_SHIFT), tuesday - timedelta(days=1)) == []
    [opened] = walk([], site(ONE_SHIFT), tuesday)
    assert (opened.status, opened.severity, opened.opened_at) == ("open", "critical", tuesday)
    assert opened.first_evidence_date == FRIDAY.date()
    # A late event moves the beginning, and the incident keeps its id.
    [later] = walk([opened], site(ONE_SHIFT, last=FRIDAY + timedelta(hours=12)), tuesday + timedelta(days=1))
    assert (later.incident_id, later.status, later.opened_at) == (opened.incident_id, "open", tuesday)
    heard_at = tuesday + timedelta(days=2)
    [closed] = walk([later], site(ONE_SHIFT, last=heard_at), heard_at + timedelta(minutes=5))
    assert (closed.incident_id, closed.status) == (opened.incident_id, "closed")
    assert (closed.closing_sentence or "").startswith("Heard again. Site north: its newest event is of 2026-02-05")
    assert walk([closed], site(ONE_SHIFT, last=heard_at), heard_at + timedelta(minutes=9)) == [closed]


def test_a_site_that_closed_down_ends_its_silence() -> None:
    [opened] = walk([], site(ONE_SHIFT), FRIDAY + timedelta(days=5))
    [closed] = walk([opened], site(ONE_SHIFT), FRIDAY + timedelta(days=61))
    assert "closed down" in (closed.closing_sentence or "")


def results(**status_of: str) -> list[DayResult]:
    heard = {"pass": FRIDAY + timedelta(days=5), "fail": FRIDAY, "insufficient_data": FRIDAY}
    age = {"insufficient_data": timedelta(days=9)}
    return freshness(
        [Heard(name, FRIDAY, heard[one], age.get(one, MINUTES), []) for name, one in status_of.items()],
        FRIDAY + timedelta(days=5),
    )


def test_only_openings_and_closings_are_news() -> None:
    found = results(a="pass", b="fail", c="insufficient_data")
    assert changed_sites(found, {"b"}) == set()
    assert changed_sites(found, set()) == {"b"}
    assert changed_sites(found, {"a", "b", "c"}) == {"a"}
    assert changed_sites(found, {"b", "gone"}) == {"gone"}
