"""Reads each site's expected event mix from registry and marts; `quality.drift.baselines` chooses the baseline."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import duckdb

from ingestion.contract.events import EVENT_TYPES
from quality.drift.baselines import Baseline, resolve


def read_baselines(connection: duckdb.DuckDBPyConnection, sites: Iterable[str]) -> dict[str, Baseline]:
    """The baselines of these sites, from an open warehouse."""
    found = connection.execute("from raw.baselines order by all")
    names = [column[0] for column in found.description or ()]
    rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    sums = ", ".join(f"coalesce(sum({kind}_events), 0)" for kind in EVENT_TYPES)

    def counts(site: str, first: date, last: date) -> tuple[int, ...]:
        row = connection.execute(
            f"select {sums} from marts.model_days where site_id = ? and event_date between ? and ?", [site, first, last]
        ).fetchone()
        return tuple(int(count) for count in row or ())

    return {site: resolve(site, rows, counts) for site in sites}
