"""Judges by the batch's clock whether every site still sends events, because silence itself sends no data.

The decisions are pure and take `now`; `read_heard` and `has_changed` read small marts. Imports nothing slow: a batch
that lands nothing asks this module, and continues only if the answer has changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from statistics import median, median_low
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import duckdb

from quality.checks.check_names import FRESHNESS
from quality.checks.closures import closures_of, read_closures
from quality.checks.results import Cell, DayResult

METRIC = "freshness"

# Usual working days of silence that are tolerated: a day off that no registry knows counts as one, a weekend as none.
LONGEST_MISSED = 1.5
# The limit for any site, and the only limit for a site without usual weeks.
LONGEST_SILENCE = timedelta(days=4)
# After this long a site counts as closed down, not silent.
GONE_AFTER = timedelta(days=60)
# Events older than this at landing come from an archive, so the site was never observed live.
ARCHIVE_AGE = timedelta(days=1.5)
LEARNED_WEEKS = 4
# The table with the instant until which each site was heard, by date of the events.
_HEARD = "handover.int_event_dates"


@dataclass(frozen=True, slots=True)
class Window:
    """A scheduled window in which the site had events."""

    shift_date: date
    started_at: datetime
    ended_at: datetime


@dataclass(frozen=True, slots=True)
class Heard:
    """The events of a site.

    `age_at_landing` is the age of its newest day's events when they landed, None if unknown.
    """

    site_id: str
    first_event_at: datetime
    last_event_at: datetime
    age_at_landing: timedelta | None
    worked: Sequence[Window]
    # First and last date of each closure of the site in the registry.
    closures: Sequence[tuple[date, date]] = ()
    timezone: str = "UTC"

    def is_closed(self, day: date) -> bool:
        """Whether nobody works there on a local date."""
        return any(first <= day <= last for first, last in self.closures)

    def local(self, instant: datetime) -> datetime:
        """What the site's calendar and clock show at an instant."""
        return instant.astimezone(_zone(self.timezone))


def freshness(sites: Iterable[Heard], now: datetime) -> list[DayResult]:
    """One result for each site that is not closed down, dated `now`."""
    return [_judge(site, now) for site in sites if now - site.last_event_at <= GONE_AFTER]


def missed_days(site: Heard, now: datetime) -> float | None:
    """How many usual working days have passed since the newest event; None if the site has no usual week yet.

    The worked time in the same part of the week is summed for each of the four previous weeks. The lower median of
    these sums is divided by the median worked time of a shift date. So nights and weekends without work do not count,
    nor does one holiday in the four weeks, nor do windows on dates that are closed now.
    """
    weeks = [timedelta(weeks=number) for number in range(1, LEARNED_WEEKS + 1)]
    known = [week for week in weeks if site.last_event_at - week >= site.first_event_at]
    by_date: dict[date, float] = {}
    for window in site.worked:
        seconds = (window.ended_at - window.started_at).total_seconds()
        by_date[window.shift_date] = by_date.get(window.shift_date, 0.0) + seconds
    if not known or not by_date:
        return None
    missed = median_low([_worked_seconds(site, week, now) for week in known])
    return missed / median(by_date.values())


def changed_sites(results: Sequence[DayResult], open_sites: set[str]) -> set[str]:
    """The sites whose silence begins or ends now. `open_sites` are the sites with an open incident.

    A site that can no longer be judged keeps its state. A site without a result counts as closed down.
    """
    silent = {result.cell.site_id for result in results if result.is_evidence}
    unknown = {result.cell.site_id for result in results if not result.is_judged}
    return (silent - open_sites) | (open_sites - silent - unknown)


def has_changed(connection: duckdb.DuckDBPyConnection, now: datetime) -> bool:
    """Whether judging now would open or close an incident of a silent site.

    The warehouse must have been judged before.
    """
    rows = connection.execute(
        "select site_id from marts.incidents where metric = ? and closed_at is null", [METRIC]
    ).fetchall()
    return bool(changed_sites(freshness(read_heard(connection, now), now), {str(site) for (site,) in rows}))


def read_heard(connection: duckdb.DuckDBPyConnection, now: datetime) -> list[Heard]:
    """Every site that was ever heard, from the tables of a warehouse.

    An event dated after its landing does not show that a site is live. `last_event_at` is the newest other event; for a
    site with no other event it is the day before the landing.
    """
    heard = f"select site_id, max(heard_until) as heard_at from {_HEARD} where heard_until <= $now group by site_id"
    ages = connection.execute(
        f"""
        with heard as ({heard}),
        newest as (
            select camera_days.site_id, max(event_date) as event_date
            from marts.camera_days
            inner join heard using (site_id)
            where event_count > 0 and event_date <= cast(timezone('UTC', heard_at) as date)
            group by camera_days.site_id
        )
        select site_id, min(p50_lateness_seconds)
        from marts.camera_days semi join newest using (site_id, event_date)
        group by site_id
        """,
        {"now": now},
    ).fetchall()
    age_of = {site: timedelta(seconds=age) for site, age in ages if age is not None}
    windows = connection.execute(
        """
        select shift_windows.site_id, shift_windows.shift_date, shift_windows.started_at, shift_windows.ended_at
        from marts.shift_windows
        semi join marts.site_shifts using (site_id, shift_date, shift_id)
        inner join marts.sites using (site_id)
        where shift_windows.ended_at > sites.last_event_at - to_weeks($weeks)
        order by all
        """,
        {"weeks": LEARNED_WEEKS},
    ).fetchall()
    worked: dict[str, list[Window]] = {}
    for site, *window in windows:
        worked.setdefault(site, []).append(Window(*window))
    sites = connection.execute(
        f"""
        with heard as ({heard})
        select site_id, sites.first_event_at, heard_at, sites.timezone
        from marts.sites
        inner join heard using (site_id)
        order by all
        """,
        {"now": now},
    ).fetchall()
    closures = read_closures(connection)
    return [
        Heard(site, first, last, age_of.get(site), worked.get(site, []), closures_of(site, closures), timezone)
        for site, first, last, timezone in sites
    ]


def _zone(name: str) -> tzinfo:
    """A site's time zone; UTC for a name that an earlier release took and only DuckDB knows."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def _judge(site: Heard, now: datetime) -> DayResult:
    silence, missed = now - site.last_event_at - _closed_time(site, now), missed_days(site, now)
    limit, observed, unit = LONGEST_MISSED, missed or 0.0, "of its usual days of work"
    if missed is None or silence > LONGEST_SILENCE:
        limit, observed, unit = LONGEST_SILENCE / timedelta(days=1), silence / timedelta(days=1), "days"
    is_archive = site.age_at_landing is not None and site.age_at_landing > ARCHIVE_AGE
    is_silent = observed > limit
    heard = f"its newest event is of {site.last_event_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    if is_archive:
        status, text = "insufficient_data", f"{heard} and landed long after it happened, as an archive does"
    elif site.is_closed(site.local(now).date()):
        status, text = "insufficient_data", f"{heard}; the site is closed today"
    elif is_silent:
        status, text = "fail", f"it fell silent; {heard}, and {observed:.1f} {unit} have passed since"
    else:
        status, text = "pass", heard
    cell = Cell(site.site_id)
    return DayResult(
        evidence_date=now.astimezone(UTC).date(),
        check_name=FRESHNESS,
        metric=METRIC,
        cell=cell,
        status=status,
        severity="critical",
        observed=observed,
        threshold=limit,
        sample_size=1,
        effect=observed - limit,
        p_value=None,
        sentence=f"{cell.name[0].upper()}{cell.name[1:]}: {text}.",
        is_strong=is_silent,
    )


def _worked_seconds(site: Heard, week: timedelta, now: datetime) -> float:
    """The worked seconds of the period since the newest event, moved back by `week`. Dates closed now do not count.

    Whole weeks of closed time are removed from the period, as if the plant had continued where it stopped.
    """
    shut = timedelta(weeks=_closed_time(site, now) // timedelta(weeks=1))
    start, end = site.last_event_at - week, now - week - shut
    heard_on = site.local(site.last_event_at).date()
    closed_from = min((first for first, last in site.closures if last >= heard_on), default=date.max)
    worked = 0.0
    for window in site.worked:
        day = window.shift_date + week
        if not site.is_closed(day if day < closed_from else day + shut):
            piece = min(window.ended_at, end) - max(window.started_at, start)
            worked += max(piece.total_seconds(), 0.0)
    return worked


def _closed_time(site: Heard, now: datetime) -> timedelta:
    """The part of the time since the newest event that lies on closed dates of the site's calendar."""
    if not site.closures:
        return timedelta(0)
    start, end, closed = site.last_event_at.astimezone(UTC), now.astimezone(UTC), timedelta(0)
    while start < end:
        day = site.local(start).date()
        midnight = datetime.combine(day + timedelta(days=1), time(), _zone(site.timezone)).astimezone(UTC)
        if site.is_closed(day):
            closed += min(midnight, end) - start
        start = midnight
    return closed
