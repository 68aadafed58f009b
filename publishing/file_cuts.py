"""Cuts a mart into files by time, finer for larger marts, so that a batch rewrites little. Pure.

The cut depends on the rows alone: the same rows give the same files, whichever batches brought them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

# Maximum rows of a file before it is cut by the next finer unit of time; sorting and writing them takes about a second.
LARGEST_FILE_ROWS = 500_000


@dataclass(frozen=True, slots=True)
class Partition:
    """The rows of consecutive days (both ends included) in the file with this name."""

    file: str
    first: date
    last: date


def partitions(rows: Mapping[date, int], largest: int = LARGEST_FILE_ROWS) -> list[Partition]:
    """The files of a mart, given its row count by day: by year, else by month, else by day."""
    return [_partition(name) for name in sorted(_names(rows, 4, largest))]


def _names(rows: Mapping[date, int], length: int, largest: int) -> Iterator[str]:
    """Prefixes of ISO dates: 4 characters for a year, 7 for a month, 10 for a day."""
    groups: dict[str, dict[date, int]] = {}
    for day, count in rows.items():
        groups.setdefault(day.isoformat()[:length], {})[day] = count
    for name, days in groups.items():
        if length == 10 or sum(days.values()) <= largest:
            yield name
        else:
            yield from _names(days, length + 3, largest)


def _partition(name: str) -> Partition:
    first = date.fromisoformat(name + "-01-01"[len(name) - 4 :])
    next_start = {
        4: date(first.year + 1, 1, 1),
        7: (first.replace(day=1) + timedelta(days=32)).replace(day=1),
        10: first + timedelta(days=1),
    }[len(name)]
    return Partition(f"{name}.parquet", first, next_start - timedelta(days=1))
