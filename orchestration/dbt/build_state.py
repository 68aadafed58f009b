"""The state of the last finished build, and what the next build computes from it: the changes, or everything.

The state is kept in the warehouse's schema `build` and written in one transaction after all models and tests have
succeeded. The models (int_affected_*) decide which windows, dates and rows a change touches.

A build that ends early leaves the state unfinished. The next build computes what the unfinished build had listed and
what has changed since, so the marts become right again. After an unfinished rebuild, the next build is a rebuild too.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil

import duckdb

from ingestion.settings import Settings
from ingestion.warehouse import open_warehouse, raw_state, transaction
from orchestration.dbt.manifest import models_hash
from orchestration.declared_marts import all_descriptions, write_declarations
from publishing.declarations import read_marts
from publishing.versions import Build

# A rebuild works through the history in parts of about this many events. The tables and sorts of one part fit into two
# gigabytes of memory, and dbt's own seconds per part are few compared with those of the models.
EVENTS_PER_PART = 5_000_000

# Tables of which the last finished build's state is kept beside the current one (dbt sources of the schema `build`).
_REMEMBERED = {
    "event_dates": "handover.int_event_dates",
    "window_segments": "intermediate.int_window_segments",
    **{name: f"raw.{name}" for name in ("workers", "workstations", "targets", "cameras", "closures", "settings")},
}

# Settings that the models read in another form than people write.
_VARIABLES = {"review_keys_below": "REVIEW_FRACTION"}

_STATE = """
    create schema if not exists build;
    create table if not exists build.state (
        lineage varchar not null,  -- of all builds since a rebuild
        number bigint not null,  -- of the last finished build in its lineage; 0 before the first
        is_finished boolean not null,
        models varchar not null,
        raw_state varchar not null,
        last_object_id bigint not null
    );
    create table if not exists build.batch (
        is_full boolean, is_repair boolean, first_date date, last_date date, last_object_id bigint
    );
    -- Days of which marts with history have got or lost rows since they were published.
    create table if not exists build.changed_days (mart varchar not null, day date);
    create table if not exists build.published (version varchar not null);
"""

_NOTHING_REMEMBERED = """
    create or replace table build.event_dates (site_id varchar, event_date date, heard_until timestamptz);
    create or replace table build.window_segments (
        site_id varchar, started_at timestamptz, ended_at timestamptz, shift_date date, shift_id varchar,
        window_started_at timestamptz, window_ended_at timestamptz, hour_shift bigint, is_owner boolean,
        is_shared boolean, is_plain boolean
    );
    drop table if exists build.segment_dates;  -- of earlier releases
    delete from raw.changed_minutes;
    delete from raw.changed_objects;
    -- All of it is computed again; tables of models that are no more would stay for ever.
    drop schema if exists intermediate cascade;
    drop schema if exists handover cascade;
    -- A rebuild may change any row: nothing published before is compared with it.
    delete from build.changed_days;
    delete from build.published;
"""

_FIRST = "this is the first build of this warehouse"


@dataclass(frozen=True, slots=True)
class Part:
    """The shift dates that one run of the models computes, first and last included."""

    first_date: date = date.min
    last_date: date = date.max


@dataclass(frozen=True, slots=True)
class Plan:
    """What a build computes. `reason` says why it computes everything; None if it computes only the changes."""

    reason: str | None
    parts: Sequence[Part]

    @property
    def is_again(self) -> bool:
        """Whether the marts had been computed before."""
        return self.reason != _FIRST


def begin_build(settings: Settings) -> Plan:
    """Mark the marts as unfinished and return what must be computed. The caller holds the warehouse's lock."""
    with open_warehouse(settings) as connection, transaction(connection):
        connection.execute(_STATE)
        write_declarations(connection)
        reason = _why_everything(connection)
        if reason is None:
            connection.execute("delete from build.batch")
            connection.execute(
                "insert into build.batch select false, not is_finished, null, null, last_object_id from build.state"
            )
            connection.execute("update build.state set is_finished = false")
            return Plan(None, [Part()])
        connection.execute(_NOTHING_REMEMBERED)
        for table, source in _REMEMBERED.items():
            if source.startswith("raw."):
                connection.execute(f"create or replace table build.{table} as from {source} limit 0")
        connection.execute("delete from build.state")
        connection.execute(
            "insert into build.state values ($lineage, 0, false, $models, '', 0)",
            {"lineage": secrets.token_hex(4), "models": models_hash()},
        )
        return Plan(reason, _parts(connection))


def begin_part(settings: Settings, part: Part, is_first: bool) -> None:
    """Tell the models which part of a rebuild to compute. The first part computes all objects, which are few."""
    with open_warehouse(settings) as connection, transaction(connection):
        connection.execute("delete from build.batch")
        connection.execute(
            "insert into build.batch select true, false, $first_date, $last_date, "
            "case when $is_first then 0 else coalesce(max(object_id), 0) end from raw.landed_objects",
            {"first_date": part.first_date, "last_date": part.last_date, "is_first": is_first},
        )


def finish_build(settings: Settings) -> list[str]:
    """Store the state that the marts were computed from: they agree with the raw tables now.

    Returns one sentence for each registry whose new version caused shifts to be computed again.
    """
    with open_warehouse(settings) as connection, transaction(connection):
        told = _settle_registry_changes(connection)
        for table, source in _REMEMBERED.items():
            connection.execute(f"create or replace table build.{table} as from {source}")
        connection.execute("delete from raw.changed_minutes")
        connection.execute("delete from raw.changed_objects")
        connection.execute(
            "update build.state set is_finished = true, number = number + 1, raw_state = $raw_state, "
            "last_object_id = (select coalesce(max(object_id), 0) from raw.landed_objects)",
            {"raw_state": raw_state(connection)},
        )
    return told


def _settle_registry_changes(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Store how much each new version of a registry caused to be computed again. Only this build knows it."""
    rows = connection.execute(
        """
        select file, change, shifts, shift_dates, first_date, last_date
        from raw.registry_versions
        inner join intermediate.int_registry_effects on file = file_name
        where shift_dates_recomputed is null
        order by number
        """
    ).fetchall()
    connection.execute(
        """
        update raw.registry_versions as versions set shift_dates_recomputed = coalesce(
            (select shift_dates from intermediate.int_registry_effects where file_name = versions.file), 0
        ) where shift_dates_recomputed is null
        """
    )
    return [
        f"registry/{file}: {change.rstrip('.')}; {shifts:,} shifts of {dates:,} shift dates from {first} to {last} "
        "were computed again"
        for file, change, shifts, dates, first, last in rows
    ]


def forget_builds(settings: Settings) -> None:
    """Make the next build compute everything, as the first build of a warehouse does."""
    with open_warehouse(settings) as connection, transaction(connection):
        connection.execute(_STATE)
        connection.execute("delete from build.state")


def finished_build(connection: duckdb.DuckDBPyConnection) -> str | None:
    """The name of the build that made the marts, unique to it; None while the marts are unfinished."""
    connection.execute(_STATE)
    row = connection.execute("select lineage || '-' || number from build.state where is_finished").fetchone()
    return str(row[0]) if row else None


def is_current(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether a build would change nothing: the last one finished, and raw tables and models are the same."""
    connection.execute(_STATE)
    row = connection.execute(
        "select models, raw_state, (select count(*) from raw.changed_minutes), "
        "(select count(*) from raw.changed_objects) from build.state where is_finished"
    ).fetchone()
    return row == (models_hash(), raw_state(connection), 0, 0)


def last_build(settings: Settings) -> Build:
    """The information about the last build that publishing needs."""
    with open_warehouse(settings) as connection:
        name = finished_build(connection)
        write_declarations(connection)  # also for a warehouse that an earlier release has built
        days: dict[str, set[date] | None] = {
            mart.name: set() for mart in read_marts(connection).values() if mart.has_history
        }
        for mart, day in connection.execute("select mart, day from build.changed_days").fetchall():
            changed = days.get(mart)
            if changed is not None:
                changed.add(day)
        version = connection.execute("select version from build.published").fetchone()
        return Build(name, days, str(version[0]) if version else None, all_descriptions())


def is_published(settings: Settings) -> bool:
    """Whether the published version was made from the current raw tables, registries, settings and models."""
    with open_warehouse(settings) as connection:
        is_shown = settings.published_path.resolve().name.endswith(f"-{finished_build(connection)}")
        return is_shown and is_current(connection)


def note_published(settings: Settings, version: str) -> None:
    """From now on, record changed days relative to this version."""
    with open_warehouse(settings) as connection, transaction(connection):
        connection.execute("delete from build.changed_days")
        connection.execute("delete from build.published")
        connection.execute("insert into build.published values ($version)", {"version": version})


def _why_everything(connection: duckdb.DuckDBPyConnection) -> str | None:
    state = connection.execute("select number, models from build.state").fetchone()
    if state is None:
        return _FIRST
    number, models = state
    if number == 0:
        return "the computation before did not finish"
    if models != models_hash():
        return "the models have changed"
    before, now = (_one_row(connection, f"{schema}.settings") for schema in ("build", "raw"))
    changes = [_change(name, before.get(name), now.get(name)) for name in now if before.get(name) != now[name]]
    return " and ".join(changes) or None


def _one_row(connection: duckdb.DuckDBPyConnection, table: str) -> dict[str, int | str | None]:
    result = connection.execute(f"from {table}")
    names = [column[0] for column in result.description]
    return dict(zip(names, result.fetchone() or [None] * len(names), strict=True))


def _change(column: str, before: int | str | None, now: int | str | None) -> str:
    """A changed setting, named by its environment variable."""
    if not column.endswith("_microseconds"):
        return f"{_VARIABLES.get(column, column.upper())} has changed"
    shown = ("unset" if value is None else f"{int(value) / 60_000_000:g}" for value in (before, now))
    return f"{column.removesuffix('_microseconds').upper()}_MINUTES changed from {' to '.join(shown)}"


def _parts(connection: duckdb.DuckDBPyConnection) -> list[Part]:
    """All shift dates, cut into parts of about the same number of events."""
    rows = connection.execute(
        "select cast(event_at as date) as day, count(*) from raw.events group by day order by day"
    ).fetchall()
    total = sum(count for _, count in rows)
    number = ceil(total / EVENTS_PER_PART)
    parts: list[Part] = []
    first_date, events = date.min, 0
    for day, count in rows:
        if events * number // total > len(parts):
            parts.append(Part(first_date, day - timedelta(days=1)))
            first_date = day
        events += count
    return [*parts, Part(first_date, date.max)]
