"""Finds events far older than their site's newest: a camera's clock stopped, or started again in the year 2000.

A site may have no camera whose clock runs. Its newest event is then far older than the landing, and the landing counts.

Events are counted by the day on which they landed, so events that landed in time do not count later. An archive that
lands late does count: its operator raises the setting or ignores the warning.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import duckdb

from quality.checks.check_names import OLD_EVENTS
from quality.checks.results import Cell, DayResult, count_result

METRIC = "old_events"

_NEWEST = "select site_id, max(heard_until) as heard_until from handover.int_event_dates group by site_id"
# `$oldest` repeats the join's condition as one limit for all sites, so that the database skips blocks of newer events.
_OLD = f"""
    with newest as ({_NEWEST}),
    recent as (
        select object_id, landed_at, cast(timezone('UTC', landed_at) as date) as landed_on
        from raw.landed_objects
        where cast(timezone('UTC', landed_at) as date) between $first and $last
    )
    select
        events.site_id, events.camera_id, recent.landed_on, count(*), min(events.event_at), max(events.event_at),
        max(newest.heard_until), bool_and(newest.heard_until < recent.landed_at - to_days($days))
    from raw.events
    inner join recent using (object_id)
    inner join newest using (site_id)
    where
        events.event_at < $oldest
        and (
            events.event_at < newest.heard_until - to_days($days)
            or newest.heard_until < recent.landed_at - to_days($days)
        )
    group by all
    order by all
"""


def old_event_results(
    connection: duckdb.DuckDBPyConnection, first: date, last: date, limit_days: int
) -> list[DayResult]:
    """One result for each camera and day of landing with old events, and one for each other site on `last`.

    `first` and `last` are UTC days of landing; `limit_days` is the allowed age in days.
    """
    sites = connection.execute(f"select * from ({_NEWEST}) where heard_until is not null order by all").fetchall()
    if not sites:
        return []
    landed = datetime.combine(last + timedelta(days=1), time(), UTC)
    oldest = max(landed, *(heard for _, heard in sites)) - timedelta(days=limit_days)
    rows = connection.execute(_OLD, {"first": first, "last": last, "oldest": oldest, "days": limit_days}).fetchall()
    found = [
        count_result(
            OLD_EVENTS,
            METRIC,
            Cell(site, camera),
            day,
            count,
            count,
            _words(count, begin, end, None if is_alone else newest, limit_days),
        )
        for site, camera, day, count, begin, end, newest, is_alone in rows
    ]
    told = {(one.cell.site_id, one.evidence_date) for one in found}
    said = f"no event that landed is more than {limit_days} days older than the site's newest"
    return [
        *found,
        *(
            count_result(OLD_EVENTS, METRIC, Cell(site), last, 0, 1, said)
            for site, _ in sites
            if (site, last) not in told
        ),
    ]


def _words(count: int, begin: datetime, end: datetime, newest: datetime | None, limit_days: int) -> str:
    """`newest` is None where the site has no event near the landing."""
    days = [f"{at.astimezone(UTC):%Y-%m-%d}" for at in (begin, end)]
    dated = f"on {days[0]}" if days[0] == days[1] else f"from {days[0]} to {days[1]}"
    counted = "1 event is" if count == 1 else f"{count:,} events are"
    if newest is None:
        before = "they landed, and the site has no newer ones"
    else:
        before = f"the site's newest event ({newest.astimezone(UTC):%Y-%m-%d})"
    return f"{counted} dated {dated}, more than {limit_days} days before {before}: its clock may have stopped"
