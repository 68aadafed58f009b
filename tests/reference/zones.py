"""Conversions between instants and local times.

DuckDB converts UTC to local time; the inverse is searched for here. Instants and local times are whole microseconds:
since 1970-01-01T00:00Z, and since local 1970-01-01T00:00.
"""

from datetime import date, time
from functools import cache
from itertools import pairwise

import duckdb

SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR


def local_midnight(day: date) -> int:
    """00:00 of a date as a local time."""
    return (day - date(1970, 1, 1)).days * DAY


def local_time(day: date, at: time) -> int:
    return local_midnight(day) + (at.hour * 60 + at.minute) * 60 * SECOND


@cache
def utc_offsets(zone: str, first: int, last: int, step: int) -> tuple[int, ...]:
    """Local time minus UTC at the instants first, first + step, … up to and including `last`."""
    rows = (
        duckdb.connect()
        .execute(
            "select epoch_us(timezone(?, make_timestamptz(instant))) - instant"
            " from (select unnest(generate_series(?::bigint, ?::bigint, ?::bigint)) as instant) order by instant",
            [zone, first, last, step],
        )
        .fetchall()
    )
    return tuple(offset for (offset,) in rows)


@cache
def changes_of_year(zone: str, year: int) -> tuple[tuple[int, int], ...]:
    """The instants at which an offset begins, with that offset; the first is the start of the UTC year."""
    start = local_midnight(date(year, 1, 1))
    offsets = utc_offsets(zone, start, local_midnight(date(year + 1, 1, 1)), HOUR)
    changes = [(start, offsets[0])]
    for hour, (before, after) in enumerate(pairwise(offsets)):
        if before != after:
            seconds = utc_offsets(zone, start + hour * HOUR, start + (hour + 1) * HOUR, SECOND)
            changes.append((start + hour * HOUR + seconds.index(after) * SECOND, after))
    return tuple(changes)


def offset_at(zone: str, instant: int) -> int:
    return [offset for since, offset in changes_of_year(zone, year_of(instant)) if since <= instant][-1]


def year_of(instant: int) -> int:
    return date.fromordinal(date(1970, 1, 1).toordinal() + instant // DAY).year


def to_local(zone: str, instant: int) -> int:
    return instant + offset_at(zone, instant)


def local_date(zone: str, instant: int) -> date:
    return date.fromordinal(date(1970, 1, 1).toordinal() + to_local(zone, instant) // DAY)


@cache
def to_utc(zone: str, local: int) -> int:
    """The instant with this local time: the first of two; a skipped time moves forward by the gap."""
    nearby = [
        change
        for year in sorted({year_of(local - 2 * DAY), year_of(local + 2 * DAY)})
        for change in changes_of_year(zone, year)
    ]
    shown = [local - offset for _, offset in nearby if to_local(zone, local - offset) == local]
    if shown:
        return min(shown)
    # Moving a skipped time forward by the gap equals reading it with the offset before the gap.
    for (_, before), (since, after) in pairwise(nearby):
        if since + before <= local < since + after:
            return local - before
    raise AssertionError(f"{zone} neither shows nor skips {local}")
