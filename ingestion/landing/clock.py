"""Checks that the machine's clock is plausible before it is used to close windows or delete data.

A clock that is a year ahead would close every running shift and let retention delete everything. The clock is therefore
compared with what was seen before: the newest landing, the newest events of two cameras, and the bucket's time.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import duckdb

from ingestion.bucket import Bucket
from ingestion.bucket.rewriting import server_time
from ingestion.errors import ClockError
from ingestion.settings import Settings
from ingestion.warehouse import open_warehouse

# Plants close for up to three weeks; five weeks without data are implausible.
FARTHEST = timedelta(days=35)


def require_true_clock(settings: Settings, bucket: Bucket, now: datetime) -> None:
    """Refuse a clock that is far ahead of everything seen before. The caller holds the lock.

    A new plant has no data to compare with, so its clock is trusted.

    Raises:
        ClockError: the clock is implausible; the message says how to override the check. Nothing was changed.
    """
    if not settings.warehouse_path.exists():
        return
    with open_warehouse(settings) as connection:
        newest = _newest_landing(connection)
        if newest is not None and now - newest > FARTHEST:
            newest = max(newest, _newest_event(connection) or newest)
    if doubt := doubt_of(now, newest, lambda: server_time(bucket)):
        raise ClockError(doubt)


def doubt_of(now: datetime, newest: datetime | None, ask_bucket: Callable[[], datetime | None]) -> str | None:
    """Why a clock that says `now` is implausible; None if it is plausible.

    `newest` is the newest known instant. `ask_bucket` returns the time of the bucket's server and is called only if the
    clock is far from `newest`.
    """
    if newest is None or now - newest <= FARTHEST:
        return None
    server = ask_bucket()
    if server is not None and abs(now - server) <= FARTHEST:
        return None
    seen = (
        f"the newest data is of {newest:%Y-%m-%d}" if server is None else f"the bucket's server says {server:%Y-%m-%d}"
    )
    return (
        f"The machine's clock says {now:%Y-%m-%d}, but {seen}, more than {FARTHEST.days} days apart; "
        "nothing was landed, closed or deleted. Set the clock, or insist with --clock-is-right."
    )


def _newest_landing(connection: duckdb.DuckDBPyConnection) -> datetime | None:
    row = connection.execute("select max(landed_at) from raw.landed_objects").fetchone()
    return row[0].astimezone(UTC) if row and row[0] else None


def _newest_event(connection: duckdb.DuckDBPyConnection) -> datetime | None:
    """The newest instant that two cameras have reached. One camera proves nothing: its own clock may be ahead."""
    row = connection.execute(
        """
        select min(newest)
        from (
            select max(event_at) as newest from raw.events group by site_id, camera_id order by newest desc limit 2
        )
        """
    ).fetchone()
    return row[0].astimezone(UTC) if row and row[0] else None
