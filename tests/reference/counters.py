"""Contract §2: the units of counters that only grow, computed one reading after the other."""

from collections.abc import Iterable
from datetime import datetime


def units_of_totals(totals: list[int]) -> list[int]:
    """The units of one counter's readings, in the order of their instants."""
    units: list[int] = []
    largest = 0
    for place, total in enumerate(totals):
        if place == 0:
            units.append(0)
            largest = total
        elif total * 2 < totals[place - 1]:  # after a reset the reading itself counts
            units.append(total)
            largest = total
        else:
            units.append(max(total - largest, 0))
            largest = max(largest, total)
    return units


def units_of_readings(readings: Iterable[tuple[datetime, str, int]]) -> dict[tuple[str, datetime], int]:
    """Units by station and instant. Of several readings at one instant the largest total counts."""
    counters: dict[str, dict[datetime, int]] = {}
    for at, station, total in readings:
        own = counters.setdefault(station, {})
        own[at] = max(own.get(at, total), total)
    return {
        (station, at): units
        for station, own in counters.items()
        for (at, _), units in zip(sorted(own.items()), units_of_totals([own[at] for at in sorted(own)]), strict=True)
    }
