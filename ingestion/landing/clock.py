"""Can the machine's clock be true? Asked before anything closes windows or deletes by it.

A clock that is a year ahead would close every running shift and let retention delete everything. So the clock is held
against what was seen before: the newest landing, the newest events of several cameras, the bucket's own time.
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

# A plant may rest for weeks: three are common, five are not.
FARTHEST = timedelta(days=35)


def require_true_clock(settings: Settings, bucket: Bucket, now: datetime) -> None:
    """Refuse to go on by a clock that is far ahead of all that was seen before. The caller holds the lock.

    A new plant has seen nothing yet, so its clock counts as true.

    Raises:
        ClockError: with one sentence that says how to insist; nothing was touched.
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
    """Why a clock that says `now` cannot be true; None where it can.

    `newest` is the newest instant that is known of; `ask_bucket` gives the time of the bucket's server, and is called
    only where the clock is far from `newest`.
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
    """The newest instant that two cameras have reached. One alone proves nothing: its clock may be ahead as well."""
    row = connection.execute(
        """
        select min(newest)
        from (
            select max(event_at) as newest from raw.events group by site_id, camera_id order by newest desc limit 2
        )
        """
    ).fetchone()
    return row[0].astimezone(UTC) if row and row[0] else None
