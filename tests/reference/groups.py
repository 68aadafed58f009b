"""Small things that every part of the reference shares: exact sums, ratios and groups.

Sums are kept in whole microseconds and turned into seconds once; means are taken in exact fractions.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from fractions import Fraction
from functools import cache
from typing import Any

import duckdb

from tests.reference.intervals import Interval
from tests.reference.reading import EPOCH, Event
from tests.reference.windows import Window
from tests.reference.zones import HOUR, SECOND

Row = dict[str, Any]
PlacedEvent = tuple[Event, Window]


def moment(instant: int) -> datetime:
    return EPOCH + timedelta(microseconds=instant)


def seconds(duration: int) -> float:
    return duration / SECOND


def ratio(numerator: int, denominator: int | None) -> float | None:
    return float(Fraction(numerator, denominator)) if denominator else None


def per_hour(units: int, duration: int) -> float | None:
    return ratio(units * HOUR, duration)


def mean(values: list[Fraction]) -> float | None:
    return float(sum(values, Fraction()) / len(values)) if values else None


def grouped(items: Iterable[Any], key: Callable[[Any], Any]) -> dict[Any, list[Any]]:
    groups = defaultdict(list)
    for item in items:
        groups[key(item)].append(item)
    return groups


def window_key(event: Event, window: Window) -> tuple[str, date, str]:
    """A window of a site; all unscheduled gaps of one date are one."""
    return event.site_id, window.shift_date, window.shift_id


def time_in(intervals: list[Interval], *states: str) -> int:
    return sum(interval.duration for interval in intervals if interval.event.event_type in states)


def units_of(events: list[PlacedEvent]) -> int:
    return sum(event.count for event, _ in events if event.event_type == "product_count")


@cache
def calculator() -> duckdb.DuckDBPyConnection:
    """One database for all quantiles: opening one costs more than what it works out."""
    return duckdb.connect()


def quantile(values: Sequence[float], share: float) -> float:
    """DuckDB's quantile_cont, which the contract names."""
    found = (
        calculator()
        .execute("select quantile_cont(value, ?) from (select unnest(?::double[]) as value)", [share, values])
        .fetchone()
    )
    assert found is not None
    return float(found[0])
