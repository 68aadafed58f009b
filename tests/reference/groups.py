"""Functions that all parts of the reference share: exact sums, ratios and groups.

Sums are whole microseconds and are converted to seconds once. Means are computed in exact fractions.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from functools import cache
from typing import Any

import duckdb

from tests.reference.intervals import Stretch
from tests.reference.reading import EPOCH
from tests.reference.zones import HOUR, SECOND

Row = dict[str, Any]


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


def time_in(stretches: Iterable[Stretch], *states: str) -> int:
    return sum(stretch.duration for stretch in stretches if stretch.event.event_type in states)


def union(spans: Iterable[tuple[int, int]]) -> int:
    """The time in microseconds during which at least one of the spans lasts."""
    covered_until = total = 0
    for start, end in sorted(spans):
        total += max(0, end - max(start, covered_until))
        covered_until = max(covered_until, end)
    return total


@cache
def calculator() -> duckdb.DuckDBPyConnection:
    """One database for all quantiles, because opening one costs more than computing a quantile."""
    return duckdb.connect()


def quantile(values: Sequence[float], share: float) -> float:
    """DuckDB's quantile_cont."""
    found = (
        calculator()
        .execute("select quantile_cont(value, ?) from (select unnest(?::double[]) as value)", [share, values])
        .fetchone()
    )
    assert found is not None
    return float(found[0])


def p05(ascending: Sequence[float]) -> float:
    """The 5 % quantile of values in ascending order, computed on doubles."""
    whole, part = divmod(len(ascending) - 1, 20)
    if part == 0:
        return ascending[whole]
    return ascending[whole] + (ascending[whole + 1] - ascending[whole]) * (part / 20)
