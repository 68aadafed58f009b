"""The dates on which a site is closed according to the registry (contract §4). Silence is expected on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, timedelta

import duckdb

ALL_SITES = "*"
_MOMENT = timedelta(microseconds=1)

Stretches = Sequence[tuple[date, date]]


def read_closures(connection: duckdb.DuckDBPyConnection) -> dict[str, list[tuple[date, date]]]:
    """The first and last date of each closure in force, by site; closures of every site are under `*`."""
    found: dict[str, list[tuple[date, date]]] = {}
    rows = connection.execute("select site_id, from_date, to_date from raw.closures order by all").fetchall()
    for site, first, last in rows:
        found.setdefault(site, []).append((first, last))
    return found


def closed_days(
    connection: duckdb.DuckDBPyConnection, sites: Sequence[str], days: Sequence[date]
) -> set[tuple[str, date]]:
    """The (site, UTC day) pairs that give no evidence: the UTC days that the shift windows of closed dates touch.

    A night shift of a closed date ends on the next UTC day. Far in the east, a morning shift begins on the previous UTC
    day. Windows are known only near dates with events; for other closed dates the UTC day of the same date counts.
    """
    closures = read_closures(connection)
    found: set[tuple[str, date]] = set()
    for site in sites:
        closed = closures_of(site, closures)
        if not closed:
            continue
        windows = connection.execute(
            "select shift_date, started_at, ended_at from handover.int_shift_windows "
            "where site_id = $site and shift_date between $first and $last",
            {"site": site, "first": days[0] - timedelta(days=2), "last": days[-1] + timedelta(days=2)},
        ).fetchall()
        known = {shift_date for shift_date, *_ in windows}
        found |= {(site, day) for day in days if day not in known and _is_in(closed, day)}
        for shift_date, started_at, ended_at in windows:
            if _is_in(closed, shift_date):
                first, last = started_at.astimezone(UTC).date(), (ended_at - _MOMENT).astimezone(UTC).date()
                found |= {(site, first + timedelta(days=number)) for number in range((last - first).days + 1)}
    return found & {(site, day) for site in sites for day in days}


def _is_in(stretches: Stretches, day: date) -> bool:
    return any(first <= day <= last for first, last in stretches)


def closures_of(site_id: str, closures: Mapping[str, Stretches]) -> Stretches:
    """The closures that apply to a site."""
    return [*closures.get(site_id, ()), *closures.get(ALL_SITES, ())]
