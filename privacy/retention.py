"""Retention of raw events, rows about single persons and archived objects, as the settings say.

Due data is deleted after a grace period, so that a wrong clock or setting can still be corrected.

Totals outlive the events they were computed from. Two horizons, which never move back, say up to when data is deleted.
Before the **event horizon** there are no raw events: rows of windows and dates before it are kept as last computed, in
the schema `frozen`, and restored whenever a build would drop or reduce them. Before the **person horizon** no row names
a worker, even if the worker's events are still stored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import duckdb

from ingestion.bucket import ARCHIVE_PREFIX, archive_key, open_landing_bucket
from ingestion.bucket.rewriting import remove
from ingestion.identity.journal import owe_purge
from ingestion.settings import Settings
from ingestion.stored_tables import Table, quoted, tables_with
from ingestion.warehouse import changed_objects_of, open_warehouse, transaction
from privacy.kept_files import forget_before
from publishing.histories import read_histories

FROZEN = "frozen"
# Days of totals, which outlive their events. What an instant dates is a single event or object.
_DATES = ("shift_date", "event_date")
# What is frozen takes in no further event, so no window may be frozen while it lasts, wherever its site is: the last
# one of a date ends less than two days and a half after that UTC date's midnight.
_NEWEST_EVENTS = timedelta(days=3)
# Single events that were sampled or labelled.
SIGHTINGS = Table("intermediate", "int_review_sightings")


@dataclass(frozen=True, slots=True)
class RetentionReport:
    """The numbers of deleted raw events, rejected records, rows about persons and archived objects."""

    events: int = 0
    rejected: int = 0
    person_rows: int = 0
    objects: int = 0

    def sentence(self) -> str:
        """The summary for the log and the record of deletions."""
        return (
            f"retention deleted {self.events:,} raw events, {self.rejected:,} rejected records, "
            f"{self.person_rows:,} rows about single persons, {self.objects:,} archived objects"
        )


def apply_retention(settings: Settings, now: datetime, log: Callable[[str], None] = lambda _: None) -> RetentionReport:
    """Delete data that is older than the settings allow. The caller holds the lock and has built the marts.

    The next run completes a killed one, because each step starts from the state that the previous one stored.
    """
    with open_warehouse(settings) as connection:
        due = {
            name: _due(connection, name, _wanted(now, days), now, timedelta(days=settings.retention_grace_days))
            for name, days in (
                ("archive", settings.retention_archive_days),
                ("events", settings.retention_event_days),
                ("persons", settings.retention_person_days),
            )
        }
    objects = _delete_archived(settings, due["archive"], log)
    with open_warehouse(settings) as connection:
        events, persons = (_midnight_before(due[name]) for name in ("events", "persons"))
        if events:
            events = min(events, now.astimezone(UTC).date() - _NEWEST_EVENTS)
        if events or persons:
            owe_purge(settings)
        counts = (0, 0)
        if events:
            counts = _delete_events(connection, events)
        if persons:
            with transaction(connection):
                _move_horizon(connection, "persons", persons)
        person_rows = keep_history(connection).person_rows
        forget_before(settings, max(filter(None, (events, persons)), default=None), persons)
    return RetentionReport(*counts, person_rows, objects)


@dataclass(frozen=True, slots=True)
class Kept:
    """The corrections to history: tables whose frozen rows were restored, and rows about persons that were deleted."""

    put_back: int = 0
    person_rows: int = 0

    @property
    def is_changed(self) -> bool:
        """Whether values computed from all of history must be recomputed."""
        return bool(self.put_back or self.person_rows)


def keep_history(connection: duckdb.DuckDBPyConnection) -> Kept:
    """Correct history after a build, so that it agrees with the horizons.

    Rows before the event horizon that differ from the frozen ones are restored.
    """
    persons, events = _stored(connection, "persons"), _stored(connection, "events")
    if not (persons or events):
        return Kept()
    histories = read_histories(connection)
    put_back = deleted = 0
    with transaction(connection):
        if events:
            _read_early_sites(connection, _EARLY)
            for frozen in tables_with(connection):
                if frozen.schema == FROZEN and (live := _live(frozen)) in histories:
                    put_back += _put_back(connection, frozen, live, _as_date(histories[live]), events)
            for table in tables_with(connection, "event_key", "timestamp"):  # single events that people review
                connection.execute(f"delete from {quoted(table)} where timestamp < ?", [_midnight(events)])
        if persons:
            for table in tables_with(connection, "worker_id"):
                if (day := _day_of(connection, table, histories)) is not None:
                    old = f"{quoted(table)} where {_as_date(day)} < ? and worker_id is not null"
                    row = connection.execute(f"delete from {old}", [persons]).fetchone()
                    deleted += row[0] if row else 0
    return Kept(put_back, deleted)


def _wanted(now: datetime, days: int | None) -> datetime | None:
    """The instant before which a setting keeps nothing; None if it keeps everything."""
    return None if days is None else now.astimezone(UTC) - timedelta(days=days)


def _midnight_before(instant: datetime | None) -> date | None:
    """The first UTC date that is kept."""
    return None if instant is None else instant.astimezone(UTC).date()


def _due(
    connection: duckdb.DuckDBPyConnection, name: str, wanted: datetime | None, now: datetime, grace: timedelta
) -> datetime | None:
    """The date up to which retention may delete now: wanted since the grace period began, and still wanted.

    A horizon requested because of a wrong clock or setting waits, and is dropped once the clock or setting is
    corrected: a horizon beyond the wanted one, or one recorded in the future, is deleted.
    """
    with transaction(connection):
        connection.execute(
            "delete from raw.pending_horizons where name = $name and "
            "($wanted is null or first_kept > $wanted or noted_at > $now)",
            {"name": name, "wanted": wanted, "now": now},
        )
        if wanted is None:
            return None
        connection.execute("insert into raw.pending_horizons values (?, ?, ?)", [name, wanted, now])
        row = connection.execute(
            "select max(first_kept) from raw.pending_horizons where name = ? and noted_at <= ?", [name, now - grace]
        ).fetchone()
        due: datetime | None = row[0] if row else None
        if due is not None:
            connection.execute("delete from raw.pending_horizons where name = ? and first_kept < ?", [name, due])
        return due


def _stored(connection: duckdb.DuckDBPyConnection, name: str) -> date | None:
    row = connection.execute("select first_date from raw.horizons where name = ?", [name]).fetchone()
    return row[0] if row else None


def _move_horizon(connection: duckdb.DuckDBPyConnection, name: str, first_date: date) -> None:
    """A horizon never moves back, because deleted data does not return when a setting becomes longer."""
    connection.execute(
        "insert into raw.horizons values (?, ?) "
        "on conflict (name) do update set first_date = greatest(first_date, excluded.first_date)",
        [name, first_date],
    )


# The units of counters, computed from all their readings.
COUNTER_READINGS = Table("intermediate", "int_counter_readings")


def _delete_events(connection: duckdb.DuckDBPyConnection, horizon: date) -> tuple[int, int]:
    """Freeze what was computed from the events before a date, and delete these events, in one transaction."""
    before = {"instant": _midnight(horizon)}
    with transaction(connection):
        _find_early_sites(connection, horizon)
        for table, day in read_histories(connection).items():
            if day in _DATES:
                _freeze(connection, table, quoted(table), day, horizon)
            elif table == SIGHTINGS:
                _freeze(connection, table, _LABELLED, _as_date(day), horizon)
        _move_horizon(connection, "events", horizon)
        rejected = "(select object_id from raw.rejected_records where rejected_at < $instant)"
        connection.execute(changed_objects_of(f"raw.landed_objects semi join {rejected} using (object_id)"), before)
        _note_needed_readings(connection, before)
        counts = []
        for name, old in (
            ("events", "event_at < $instant and not (count_total is not null and rowid in (from needed_readings))"),
            ("rejected_records", "rejected_at < $instant"),
        ):
            row = connection.execute(f"delete from raw.{name} where {old}", before).fetchone()
            counts.append(int(row[0]) if row else 0)
        connection.execute("update raw.events set worker_id = null where event_at < $instant", before)
    return counts[0], counts[1]


def _note_needed_readings(connection: duckdb.DuckDBPyConnection, before: dict[str, datetime]) -> None:
    """Find the deleted readings that later ones are compared with: each counter's last reading, and if that is below
    the largest since the last reset, all readings back to the largest. Without them units would change.
    """
    connection.execute("create or replace temp table needed_readings (place bigint)")
    if COUNTER_READINGS not in tables_with(connection):
        return  # no unit was ever computed
    connection.execute(
        f"""
        insert into needed_readings
        with old as (from {quoted(COUNTER_READINGS)} where event_at < $instant),

        last as (
            select site_id, camera_id, workstation_id, max_by(largest_total, event_at) as largest_total
            from old
            group by all
        ),

        needed as (
            select old.site_id, old.camera_id, old.workstation_id, max(old.event_at) as first_event_at
            from old
            inner join last using (site_id, camera_id, workstation_id)
            where old.count_total = last.largest_total
            group by all
        )

        select events.rowid
        from raw.events as events
        inner join needed using (site_id, camera_id, workstation_id)
        where events.count_total is not null and events.event_at < $instant and event_at >= first_event_at
        """,
        before,
    )


# Labels outlive their event, but without worker and workstation.
_LABELLED = f"""(
    select * replace (null::varchar as worker_id, null::varchar as workstation_id)
    from {quoted(SIGHTINGS)} semi join raw.labels using (event_key)
)"""


def _freeze(connection: duckdb.DuckDBPyConnection, table: Table, rows: str, day: str, horizon: date) -> None:
    """Freeze those of a table's `rows` that lie between the last horizon and this one."""
    connection.execute(f"create schema if not exists {FROZEN}")
    frozen = Table(FROZEN, f"{table.schema}.{table.name}")
    connection.execute(f"create table if not exists {quoted(frozen)} as from {quoted(table)} limit 0")
    last = _stored(connection, "events") or date.min
    connection.execute(
        f"insert into {quoted(frozen)} by name from {rows} "
        f"where {_is_frozen(day, horizon, _EARLY)} and not {_is_frozen(day, last, _EARLY_BEFORE)}"
    )


# How long before a window's start a person's arrival may be, which chooses among overlapping windows (contract §4).
_ARRIVAL_MEMORY = timedelta(hours=16)
# Sites so far east of UTC that windows of the date after a horizon's begin within the memory of arrivals after it, so
# that what their figures rest on is partly deleted. They are noted with the horizon: a later time zone changes nothing.
_EARLY = "early_sites"
_EARLY_BEFORE = "early_sites_before"
_AT_SITE = "events at "


def _find_early_sites(connection: duckdb.DuckDBPyConnection, horizon: date) -> None:
    """Find the early sites of a new horizon and of the one before it. A horizon that does not move keeps its own."""
    _read_early_sites(connection, _EARLY_BEFORE)
    last = _stored(connection, "events")
    if last is not None and horizon <= last:
        return _read_early_sites(connection, _EARLY)
    connection.execute(
        f"""
        create or replace temp table {_EARLY} as
        select site_id
        from raw.sites
        where cast(timezone(timezone, $instant) as date) > $horizon
        """,
        {"instant": _midnight(horizon) + _ARRIVAL_MEMORY - timedelta(microseconds=1), "horizon": horizon},
    )
    connection.execute("delete from raw.horizons where starts_with(name, ?)", [_AT_SITE])
    connection.execute(
        f"insert into raw.horizons by name select ? || site_id as name, ? as first_date from {_EARLY}",
        [_AT_SITE, horizon + timedelta(days=1)],
    )
    return None


def _read_early_sites(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    connection.execute(
        f"""
        create or replace temp table {table} as
        select substr(name, {len(_AT_SITE) + 1}) as site_id from raw.horizons where starts_with(name, '{_AT_SITE}')
        """
    )


def _is_frozen(day: str, horizon: date, early: str) -> str:
    """Whether figures of a window or date may rest on events before the horizon. At sites east of UTC, a window of the
    horizon's own date begins on the UTC day before; at the `early` ones, one of the next date soon after it.
    """
    date_of = f"date '{horizon.isoformat()}'"
    if day != "shift_date":
        return f"{day} < {date_of}"
    next_date = f"shift_date = cast({date_of} + interval 1 day as date)"
    return f"(shift_date <= {date_of} or ({next_date} and site_id in (select site_id from {early})))"


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _live(frozen: Table) -> Table:
    """The table whose rows a frozen one keeps."""
    return Table(*frozen.name.split(".", 1))


def _put_back(connection: duckdb.DuckDBPyConnection, frozen: Table, live: Table, day: str, horizon: date) -> bool:
    """Restore a table's frozen rows; return whether other rows were there."""
    columns = ", ".join(f'"{name}"' for name in _shared_columns(connection, live, frozen))
    if not columns:
        return False
    where = _is_frozen(day, horizon, _EARLY)
    # A sum, as the same change of two rows leaves the exclusive or of their hashes as it was.
    rows = f"(count(*), coalesce(sum(hash({columns})::hugeint), 0))"
    same = connection.execute(
        f"select (select {rows} from {quoted(live)} where {where}) "
        f"= (select {rows} from {quoted(frozen)} where {where})"
    ).fetchone()
    if same is not None and same[0]:
        return False
    connection.execute(f"delete from {quoted(live)} where {where}")
    connection.execute(f"insert into {quoted(live)} by name select {columns} from {quoted(frozen)} where {where}")
    return True


def _shared_columns(connection: duckdb.DuckDBPyConnection, *tables: Table) -> list[str]:
    """The columns that all the tables have; a newer model's additional columns stay NULL for history."""
    named = [[name for name, *_ in connection.execute(f"describe {quoted(table)}").fetchall()] for table in tables]
    return [name for name in named[0] if all(name in columns for columns in named)]


def _day_of(connection: duckdb.DuckDBPyConnection, table: Table, histories: Mapping[Table, str]) -> str | None:
    """What dates a table's rows, as declared; None where nothing does.

    Frozen rows of a model that no longer exists are dated by the date that they have.
    """
    if table.schema != FROZEN:
        return histories.get(table)
    return histories.get(_live(table)) or next((day for day in _DATES if table in tables_with(connection, day)), None)


def _as_date(day: str) -> str:
    """The UTC date of a declared day: the column itself, or the date of its instant."""
    return day if day in _DATES else f'"{day}"::date'


def _delete_archived(settings: Settings, limit: datetime | None, log: Callable[[str], None]) -> int:
    """Remove archived objects that landed before `limit`; one missing from the manifest counts by its own time."""
    if limit is None:
        return 0
    bucket = open_landing_bucket(settings)
    with open_warehouse(settings) as connection:
        rows = connection.execute("select object_key, etag, landed_at from raw.landed_objects").fetchall()
    landed = {archive_key(key, etag): landed_at.astimezone(UTC) for key, etag, landed_at in rows}
    old = [info.key for info in bucket.list(ARCHIVE_PREFIX) if landed.get(info.key, info.modified) <= limit]
    for key in old:
        remove(bucket, key)
    if old:
        log(f"{len(old):,} archived objects deleted that landed before {limit:%Y-%m-%d %H:%M} UTC")
    return len(old)
