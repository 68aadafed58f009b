"""Contract §6: whether the cameras count what the plant booked, shift by shift."""

from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from math import ceil, sqrt

from tests.reference.groups import Row, grouped, ratio
from tests.reference.plant import Registry

SHIFTS, FEWEST, BLOCKS = 20, 12, 4
STUDENT = 3.182446305284263  # the 97.5 % quantile of Student's t with three degrees of freedom
TOLERANCE = 0.02


def interval(shifts: Sequence[tuple[int, int]]) -> tuple[float, float] | None:
    """The interval of the share of booked units that were counted; shifts are pairs of counted and booked."""
    booked = sum(each for _, each in shifts)
    if len(shifts) < FEWEST or not booked:
        return None
    share = Fraction(sum(each for each, _ in shifts), booked)
    squares = Fraction()
    for block in range(BLOCKS):
        own = [pair for number, pair in enumerate(shifts) if BLOCKS * number // len(shifts) == block]
        squares += sum((units - share * each for units, each in own), Fraction()) ** 2
    half = max(STUDENT * sqrt(2 * squares * BLOCKS / (BLOCKS - 1)), 3) / booked
    return max(float(share) - half, 0.0), float(share) + half


def verdict(ends: tuple[float, float] | None) -> str:
    if ends is None:
        return "not yet known"
    low, high = ends
    if high < 1 - TOLERANCE:
        return "counts too few"
    if low > 1 + TOLERANCE:
        return "counts too many"
    return "agrees" if low >= 1 - TOLERANCE and high <= 1 + TOLERANCE else "not yet known"


def shifts_needed(shifts: Sequence[tuple[int, int]]) -> int | None:
    """How many more shifts like these give a verdict; None if no 20 shifts do."""
    ends, count = interval(shifts), len(shifts)
    if verdict(ends) != "not yet known":
        return 0
    if count < FEWEST:
        return FEWEST - count
    if ends is None:
        return None
    share = sum(units for units, _ in shifts) / sum(booked for _, booked in shifts)
    missing = abs(abs(share - 1) - TOLERANCE)
    deciding = count * ((ends[1] - share) / missing) ** 2 if missing else SHIFTS + 1
    return max(ceil(deciding) - count, 1) if deciding <= SHIFTS else None


def count_agreement(registry: Registry, windows: list[Row], stations: list[Row]) -> list[Row]:
    """A row for each booked row of a complete window; `stations` are the rows of workstation_shifts."""
    complete = {
        (row["site_id"], row["shift_date"], row["shift_id"]): row["started_at"] for row in windows if row["is_complete"]
    }
    by_window = grouped(stations, lambda row: (row["site_id"], row["shift_date"], row["shift_id"]))
    rows = []
    places = grouped(registry.booked, lambda key: key[:2])
    for (_, station), keys in places.items():
        mine = [key for key in keys if window_of(key) in complete]
        mine.sort(key=lambda key: (complete[window_of(key)], *window_of(key)))
        shifts: list[tuple[int, int]] = []
        for key in mine:
            own = [row for row in by_window.get(window_of(key), []) if station in ("*", row["workstation_id"])]
            shifts.append((sum(row["units"] for row in own), registry.booked[key]))
            rows.append(agreement_row(registry, key, shifts[-SHIFTS:]))
    return rows


def window_of(key: tuple[str, str, date, str]) -> tuple[str, date, str]:
    return (key[0], key[2], key[3])


def agreement_row(registry: Registry, key: tuple[str, str, date, str], shifts: list[tuple[int, int]]) -> Row:
    site_id, station, shift_date, shift_id = key
    units, booked = shifts[-1]
    ends = interval(shifts)
    named = registry.workstations.get((site_id, station))
    return {
        "site_id": site_id,
        "shift_date": shift_date,
        "shift_id": shift_id,
        "workstation_id": None if station == "*" else station,
        "workstation_name": None if station == "*" else named[0] if named else station,
        "units": units,
        "booked_units": booked,
        "difference": units - booked,
        "counted_share": ratio(units, booked),
        "shift_count": len(shifts),
        "recent_share": ratio(sum(each for each, _ in shifts), sum(each for _, each in shifts)),
        "recent_share_low": ends[0] if ends else None,
        "recent_share_high": ends[1] if ends else None,
        "verdict": verdict(ends),
        "shifts_needed": shifts_needed(shifts),
    }


def station_releases(registry: Registry, stations: list[Row]) -> list[Row]:
    """A row for each station that a figure or the registry names; none without a released.csv."""
    if registry.released is None:
        return []
    own = {key for key in registry.released if key[1] != "*"}
    seen = {(row["site_id"], row["workstation_id"]) for row in stations}
    return [
        {
            "site_id": site_id,
            "workstation_id": station,
            "is_released": released_by is not None,
            "released_by": released_by,
        }
        for site_id, station in seen | own | set(registry.workstations)
        for released_by in [registry.released.get((site_id, station)) or registry.released.get((site_id, "*"))]
    ]
