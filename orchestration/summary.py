"""The result of a batch, in about ten lines for a person.

Reads published marts only; computes sums, decides nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

# Over all windows, a ratio is the ratio of the sums (contract §6). Each event that is left after duplicates are removed
# belongs to one worker's window.
_TOTALS = """
    select
        (select count(*) from read_parquet($landed_objects) where starts_with(object_key, 'events/')),
        (
            select case when count(*) = count(accepted) then coalesce(sum(accepted), 0) end
            from read_parquet($landed_objects) where starts_with(object_key, 'events/')
        ),
        (
            select case when count(*) = count(rejected) then coalesce(sum(rejected), 0) end
            from read_parquet($landed_objects) where starts_with(object_key, 'events/')
        ),
        (select coalesce(sum(event_count), 0) from read_parquet($worker_shifts)),
        (select coalesce(sum(units), 0) from read_parquet($worker_shifts)),
        (select sum(active_seconds) / nullif(sum(present_seconds), 0) from read_parquet($worker_shifts)),
        (select sum(units) / nullif(sum(active_seconds) / 3600, 0) from read_parquet($worker_shifts)),
        (select count(distinct (site_id, worker_id)) from read_parquet($worker_shifts)),
        (select count(distinct site_id) from read_parquet($worker_shifts))
"""


@dataclass(frozen=True, slots=True)
class Totals:
    """The published marts in a few numbers. `utilization` is a ratio, None if nobody was present."""

    objects: int
    accepted: int | None  # None if counts of objects are not published
    rejected: int | None
    distinct_events: int
    units: int
    utilization: float | None
    units_per_active_hour: float | None
    workers: int
    sites: int

    @property
    def duplicates(self) -> int:
        """Accepted records that are duplicates."""
        return (self.accepted or 0) - self.distinct_events


@dataclass(frozen=True, slots=True)
class Checks:
    """The results of a batch's data tests and suites; `failed` names those that did not pass."""

    passed: int
    failed: Sequence[str]
    insufficient: int

    @property
    def count(self) -> int:
        """The number of checks that were run."""
        return self.passed + len(self.failed) + self.insufficient


def read_totals(published: Path) -> Totals:
    """The totals of the published version."""
    with duckdb.connect() as connection:
        row = connection.execute(
            _TOTALS, {name: str(published / f"{name}.parquet") for name in ("landed_objects", "worker_shifts")}
        ).fetchone()
    assert row is not None
    return Totals(*row)


def summary_lines(totals: Totals, checks: Checks, new_objects: int, report: str, seconds: float) -> list[str]:
    """The last lines of a batch. `report` is the place of the report."""
    # If nothing about single persons is published, sums over persons are not known here.
    is_of_persons = totals.workers > 0 or totals.accepted == 0
    warned = f", {len(checks.failed)} warned" if checks.failed else ""
    unjudged = f", {checks.insufficient} with too little data" if checks.insufficient else ""
    rows = [
        ("objects", f"{totals.objects:,} landed, {new_objects:,} of them by this batch"),
        *(
            [("events", f"{totals.accepted:,} accepted, {totals.rejected:,} rejected")]
            if totals.accepted is not None and totals.rejected is not None
            else []
        ),
        *(_about_persons(totals) if is_of_persons else [("people", "nothing about single persons is published")]),
        (
            "checks",
            f"{checks.passed} passed{warned}{unjudged}" if checks.count else "not run again, as nothing has changed",
        ),
        *(("", f"warned: {name}") for name in checks.failed[:5]),
        ("report", report),
    ]
    return [f"Batch finished in {seconds:.1f} s.", *(f"  {label:<12} {text}" for label, text in rows)]


def time_line(total: float, steps: Mapping[str, float]) -> str:
    """The seconds of a batch by step. The rest is start-up: imports, and Dagster's own work."""
    parts = {"starting": max(0.0, total - sum(steps.values())), **steps}
    return ", ".join(f"{name} {seconds:.1f} s" for name, seconds in parts.items())


def _about_persons(totals: Totals) -> list[tuple[str, str]]:
    return [
        ("duplicates", f"{totals.duplicates:,}, leaving {totals.distinct_events:,} events"),
        ("people", f"{totals.workers:,} workers at {totals.sites:,} site{'s' * (totals.sites != 1)}"),
        ("units", f"{totals.units:,}{_per_hour(totals.units_per_active_hour)}"),
        ("utilization", f"{_percent(totals.utilization)} average (working time of present time)"),
    ]


def _percent(ratio: float | None) -> str:
    return "no" if ratio is None else f"{ratio:.1%}"


def _per_hour(rate: float | None) -> str:
    return "" if rate is None else f", {rate:.1f} per active hour"
