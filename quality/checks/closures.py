"""The dates on which the plant's registry says that a site is closed (contract §4): silence there says nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import duckdb

ALL_SITES = "*"

Stretches = Sequence[tuple[date, date]]


def read_closures(connection: duckdb.DuckDBPyConnection) -> dict[str, list[tuple[date, date]]]:
    """First and last date of each closure in force, by site; those of every site under `*`."""
    found: dict[str, list[tuple[date, date]]] = {}
    rows = connection.execute("select site_id, from_date, to_date from raw.closures order by all").fetchall()
    for site, first, last in rows:
        found.setdefault(site, []).append((first, last))
    return found


def closures_of(site_id: str, closures: Mapping[str, Stretches]) -> Stretches:
    """The closures that hold for a site."""
    return [*closures.get(site_id, ()), *closures.get(ALL_SITES, ())]
