"""Reads the evidence for one worker's shift: published rows and the landed records behind them.

The published files contain the figures that were shown. The warehouse, opened read-only under its lock, contains the
records.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

import duckdb

from ingestion.errors import FloorhouseError
from ingestion.settings import Settings
from ingestion.warehouse import warehouse_lock

Row = dict[str, Any]
WAIT_SECONDS = 20
_MARTS = ("worker_shifts", "worker_station_shifts", "state_intervals", "shift_windows", "camera_days", "sites")


class ExplainError(FloorhouseError):
    """No shift or several shifts match; the message says what to do."""


@dataclass(frozen=True)
class Evidence:
    """One row of worker_shifts and the data read about it. Local times are in the site's time zone."""

    shift: Row
    timezone: str
    window: Row | None
    stations: list[Row]
    intervals: list[Row]
    all_intervals: list[Row]  # also of neighbouring days and other shifts
    records: list[Row]
    windows: list[Row]
    cameras: list[Row]
    last_event_minutes: float
    max_state_minutes: float | None


def read_evidence(
    settings: Settings, worker_id: str, day: date, site_id: str | None = None, shift_id: str | None = None
) -> list[Evidence]:
    """The worker's shifts on a date, each with its evidence.

    Raises:
        ExplainError: there is no such shift, several sites have one, or the figures cannot be read.
        WarehouseBusyError: a batch is writing.
    """
    with warehouse_lock(settings, wait_seconds=WAIT_SECONDS), _open(settings) as connection:
        shifts = _rows(
            connection,
            """
            select * from worker_shifts
            where worker_id = $worker and shift_date = $day
                and site_id = coalesce($site, site_id) and shift_id = coalesce($shift, shift_id)
            order by site_id, shift_id
            """,
            {"worker": worker_id, "day": day, "site": site_id, "shift": shift_id},
        )
        sites = sorted({row["site_id"] for row in shifts})
        if len(sites) > 1:
            raise ExplainError(f"{worker_id} worked at {' and '.join(sites)} on {day}; add SITE={sites[0]}, for one.")
        if not shifts:
            raise ExplainError(_nothing(connection, worker_id, day, site_id, shift_id))
        return [_evidence(connection, shift) for shift in shifts]


@contextmanager
def _open(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    published = settings.published_path.resolve()
    if not (published / "state_intervals.parquet").exists():
        raise ExplainError(f"There are no published intervals in {settings.published_path}; run a batch first.")
    try:
        with duckdb.connect() as connection:
            connection.execute("set timezone = 'UTC'")
            warehouse = str(settings.warehouse_path).replace("'", "''")
            connection.execute(f"attach '{warehouse}' as warehouse (read_only)")
            for mart in _MARTS:
                path = str(published / f"{mart}.parquet").replace("'", "''")
                connection.execute(f"create view {mart} as from '{path}'")
            yield connection
    except duckdb.Error as error:
        raise ExplainError(f"The numbers cannot be read: {str(error).splitlines()[0]}") from error


def _evidence(connection: duckdb.DuckDBPyConnection, shift: Row) -> Evidence:
    key = {name: shift[name] for name in ("site_id", "shift_date", "shift_id", "worker_id")}
    site = _rows(connection, "select timezone from sites where site_id = $site_id", {"site_id": key["site_id"]})
    timezone = site[0]["timezone"] if site else "UTC"
    around = {"site_id": key["site_id"], "day": key["shift_date"]}
    windows = _rows(
        connection,
        "select * from shift_windows where site_id = $site_id and shift_date between $day - 3 and $day + 3",
        around,
    )
    numbers = _rows(connection, "from warehouse.raw.settings", {})[0]
    own = "site_id = $site_id and shift_date = $shift_date and shift_id = $shift_id and worker_id = $worker_id"
    return Evidence(
        shift=shift,
        timezone=timezone,
        window=next(
            (w for w in windows if (w["shift_date"], w["shift_id"]) == (key["shift_date"], key["shift_id"])), None
        ),
        stations=_rows(connection, f"from worker_station_shifts where {own} order by workstation_id", key),
        intervals=_rows(
            connection,
            f"""
            select *, timezone($timezone, started_at) as started_local, timezone($timezone, ended_at) as ended_local
            from state_intervals where {own}
            order by started_at, confidence, workstation_id, state
            """,
            {**key, "timezone": timezone},
        ),
        all_intervals=_rows(
            connection,
            """
            from state_intervals
            where site_id = $site_id and worker_id = $worker_id and shift_date between $day - 3 and $day + 3
            order by started_at
            """,
            {**around, "worker_id": key["worker_id"]},
        ),
        records=_rows(
            connection,
            """
            select events.*, objects.object_key, timezone($timezone, events.event_at) as event_local
            from warehouse.raw.events as events
            inner join warehouse.raw.landed_objects as objects using (object_id)
            where events.site_id = $site_id and events.worker_id = $worker_id
                and events.event_at >= $day::timestamp - interval 2 day
                and events.event_at < $day::timestamp + interval 4 day
            order by events.event_at, events.object_id, events.position
            """,
            {**around, "worker_id": key["worker_id"], "timezone": timezone},
        ),
        windows=windows,
        cameras=_rows(
            connection,
            "from camera_days where site_id = $site_id and event_date between $day - 1 and $day + 1 order by all",
            around,
        ),
        last_event_minutes=numbers["last_event_microseconds"] / 60_000_000,
        max_state_minutes=None
        if numbers["max_state_microseconds"] is None
        else numbers["max_state_microseconds"] / 60_000_000,
    )


def _nothing(
    connection: duckdb.DuckDBPyConnection, worker_id: str, day: date, site_id: str | None, shift_id: str | None
) -> str:
    known = _rows(
        connection,
        "select shift_date, site_id, shift_id from worker_shifts where worker_id = $worker "
        "order by abs(shift_date - $day), site_id, shift_id limit 1",
        {"worker": worker_id, "day": day},
    )
    asked = "".join([f" at {site_id}" if site_id else "", f" in shift {shift_id}" if shift_id else ""])
    if not known:
        return f"No published shift names the worker {worker_id!r}."
    row = known[0]
    return (
        f"{worker_id} has no published shift on {day}{asked}; the nearest one is {row['shift_date']}, "
        f"shift {row['shift_id']}, site {row['site_id']}."
    )


def _rows(connection: duckdb.DuckDBPyConnection, sql: str, values: Row) -> list[Row]:
    result = connection.execute(sql, values)
    names = [column[0] for column in result.description or []]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def window_of(record: Row, records: list[Row], windows: list[Row]) -> tuple[date, str]:
    """Shift date and shift of a worker's record (contract §4).

    If windows overlap, the window that starts nearest to the worker's arrival counts. Outside of windows the shift is
    `unscheduled` on the local date. `records` are all records of the worker in order of time.
    """
    instant = counted_at(record)
    around = [window for window in windows if window["started_at"] <= instant < window["ended_at"]]
    if not around:
        return record["event_local"].date(), "unscheduled"
    arrived_at = _arrival([counted_at(one) for one in records], instant)
    around.sort(key=lambda window: window["shift_date"], reverse=True)
    around.sort(key=lambda window: window["shift_id"])
    around.sort(key=lambda window: window["started_at"], reverse=True)
    nearest = min(around, key=lambda w: max(arrived_at - w["started_at"], 3 * (w["started_at"] - arrived_at)))
    return nearest["shift_date"], nearest["shift_id"]


def counted_at(record: Row) -> datetime:
    """The instant that decides a record's window. A counter's reading counts 1 microsecond before its timestamp."""
    at: datetime = record["event_at"]
    return at if record["count_total"] is None else at - timedelta(microseconds=1)


def _arrival(instants: list[datetime], instant: datetime) -> datetime:
    """The arrival of a worker: the first instant after the last pause of six hours in the previous sixteen hours."""
    recent = sorted(one for one in instants if instant - timedelta(hours=16) <= one <= instant)
    returns = [after for before, after in pairwise(recent) if after - before >= timedelta(hours=6)]
    return (returns or recent[:1])[-1]
