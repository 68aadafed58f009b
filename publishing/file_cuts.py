"""How a mart is cut into files: the larger it is, the finer by time, so that a batch rewrites little of it. Pure.

The cut follows from the rows alone: the same rows give the same files, whatever batches they came in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

# Rows of a file before it is cut at the next finer unit of time: sorting and writing so many takes about a second.
LARGEST_FILE_ROWS = 500_000


@dataclass(frozen=True, slots=True)
class Partition:
    """The rows of some days, both included, in the file of this name."""

    file: str
    first: date
    last: date


def partitions(rows: Mapping[date, int], largest: int = LARGEST_FILE_ROWS) -> list[Partition]:
    """The files of a mart with so many rows by day: of a year, else of its months, else of their days."""
    return [_partition(name) for name in sorted(_names(rows, 4, largest))]


def _names(rows: Mapping[date, int], length: int, largest: int) -> Iterator[str]:
    """Beginnings of ISO dates, as long as it takes: 4 letters are a year, 7 a month, 10 a day."""
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
