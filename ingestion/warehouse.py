"""The warehouse file: its lock, its connection and the schema of its raw tables.

One process writes at a time: DuckDB allows no second writer, and a lock file reports the conflict first.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb

from ingestion import migrations
from ingestion.access import restrict
from ingestion.contract import event_columns
from ingestion.errors import WarehouseBusyError, WarehouseError
from ingestion.memory import MOST, database_memory
from ingestion.registry.files import FILES, sql_columns, table_of
from ingestion.settings import Settings

# A change of one of these tables needs a step in migrations.py for existing warehouses.
# `object_id` grows with every landed object and is never reused, so everything after a given landing is a range of ids.
RAW_TABLES = f"""
    create schema if not exists raw;

    create table if not exists raw.landed_objects (
        object_id bigint not null,
        object_key varchar not null,
        etag varchar not null,
        bytes bigint not null,
        records bigint not null,
        accepted bigint not null,
        rejected bigint not null,
        unexpected_fields varchar[] not null,
        landed_at timestamptz not null,
        -- the mapping that the object was read through, and its own records; without a mapping they are `records`
        mapping varchar,
        source_records bigint,
        skipped_records bigint,
        primary key (object_key, etag),
        check (records = accepted + rejected)
    );

    create table if not exists raw.events (
        object_id bigint not null,
        position bigint not null,
        part integer,
        {event_columns.sql_columns()}
    );

    create table if not exists raw.rejected_records (
        object_id bigint not null,
        position bigint not null,
        part bigint,
        reason varchar not null,
        detail varchar not null,
        payload varchar,
        rejected_at timestamptz not null,
        superseded_at timestamptz
    );

    create table if not exists raw.labels (
        object_id bigint not null,
        position bigint not null,
        part integer,
        event_key varchar not null,
        true_event_type varchar not null,
        reviewer varchar not null,
        reviewed_at timestamptz not null,
        payload varchar not null
    );

    -- The event keys in labels, with the event of each; NULL until it has arrived.
    create table if not exists raw.labelled_keys (
        event_key varchar primary key,
        site_id varchar,
        event_at timestamptz
    );

    create table if not exists raw.unexpected_fields (
        object_id bigint not null,
        field varchar not null,
        site_id varchar not null,
        camera_id varchar not null
    );

    -- Objects that the last batch found in the bucket and did not read.
    create table if not exists raw.unread_objects (
        object_key varchar not null,
        reason varchar not null,
        detail varchar not null,
        bytes bigint,
        modified_at timestamptz
    );

    -- Archived copies that the erasure of a person has rewritten; no writer has changed them.
    create table if not exists raw.rewritten_copies (archive_key varchar primary key);

    create table if not exists raw.kept_files (object_key varchar not null, version varchar not null);

    -- Which sampled events lie in which file of outbox/review/.
    create table if not exists raw.dropped_reviews (event_key varchar primary key, file_name varchar not null);

    {"".join(f"create table if not exists raw.{table_of(name)} ({sql_columns(file)});" for name, file in FILES.items())}

    -- The registry files in force with the hash of their content, empty if the file was removed for good.
    create table if not exists raw.registry_files (
        file varchar primary key,
        content_hash varchar not null,
        columns varchar[] not null,
        ends_with_a_break boolean not null,
        in_force_since timestamptz not null
    );
    -- Every version that was ever in force. The number of recomputed shift dates is known after the next build.
    create table if not exists raw.registry_versions (
        number bigint not null,
        file varchar not null,
        site_id varchar not null,
        line_count bigint not null,
        in_force_since timestamptz not null,
        change varchar not null,
        shift_dates_recomputed bigint
    );
    -- Refused contents (a missing file counts as one), with the time and the reason.
    create table if not exists raw.registry_refusals (
        file varchar primary key,
        content_hash varchar not null,
        kind varchar not null,
        modified_at timestamptz not null,
        refused_at timestamptz not null,
        sentence varchar not null
    );
    -- The last confirmation of each file that has no more effect, by the instant at which it was written.
    create table if not exists raw.spent_confirmations (file varchar primary key, written_at timestamptz not null);

    -- The mappings in force. One that was removed on purpose has no row.
    create table if not exists raw.mappings (
        name varchar primary key, content varchar not null, in_force_since timestamptz not null
    );
    -- The sources whose objects waited in the last batch, since when and why.
    create table if not exists raw.stopped_sources (
        source varchar primary key, stopped_at timestamptz not null, objects bigint not null, sentence varchar not null
    );

    create table if not exists raw.settings (
        last_event_microseconds bigint, max_state_microseconds bigint, review_keys_below varchar
    );

    -- What the next build must recompute; the build empties both tables when it has finished.
    create table if not exists raw.changed_minutes (site_id varchar not null, minute timestamptz not null);
    create table if not exists raw.changed_objects (object_key varchar not null, etag varchar not null);

    create table if not exists raw.identity (
        worker_identity varchar not null, is_pseudonymous boolean not null, key_check varchar, min_group bigint not null
    );

    -- Sites whose stored events have no workers, as the registry requires (identity/people.py).
    create table if not exists raw.nameless_sites (site_id varchar not null);

    -- How far retention has deleted: the first UTC date kept of raw events and of rows about persons.
    create table if not exists raw.horizons (name varchar primary key, first_date date not null);

    -- How far retention will delete once the grace period after `noted_at` is over.
    create table if not exists raw.pending_horizons (
        name varchar not null, first_kept timestamptz not null, noted_at timestamptz not null
    );
"""

LOCK_WAIT_SECONDS = 600


@contextmanager
def warehouse_lock(
    settings: Settings, wait_seconds: float = LOCK_WAIT_SECONDS, log: Callable[[str], None] = print
) -> Iterator[None]:
    """Hold the warehouse's write lock; the system releases it when the process ends, however it ends.

    Raises:
        WarehouseBusyError: another batch held it for all of `wait_seconds`.
        WarehouseError: the folder cannot be written, or was removed while the lock was held.
    """
    path = settings.data_dir / "warehouse.lock"
    try:
        restrict(settings)
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise WarehouseError(f"The data folder {settings.data_dir} cannot be written: {error.strerror}.") from error
    try:
        _acquire(descriptor, path, wait_seconds, log)
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
        if is_removed(settings) or not os.path.samestat(os.fstat(descriptor), path.stat()):
            raise WarehouseError(removed(settings))
    finally:
        os.close(descriptor)


def is_removed(settings: Settings) -> bool:
    """Whether the data folder that a batch took the lock in is gone, and with it what was written since."""
    return not (settings.data_dir / "warehouse.lock").exists()


def removed(settings: Settings) -> str:
    """What to say then."""
    return (
        f"The data folder {settings.data_dir} was removed or replaced while a batch wrote it, so that what this batch "
        "did is lost; put it back, or start another batch, which begins anew or says how the archive is read again."
    )


def _acquire(descriptor: int, path: Path, wait_seconds: float, log: Callable[[str], None]) -> None:
    deadline = time.monotonic() + wait_seconds
    announced = False
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(descriptor, 20, 0).decode(errors="replace") or "unknown"
            if time.monotonic() >= deadline:
                raise WarehouseBusyError(
                    f"Another batch (process {holder}) is writing the warehouse {path.parent}; "
                    "this one did nothing and can simply be started again."
                ) from error
            if not announced:
                log(f"waiting for another batch (process {holder}) to finish")
                announced = True
            time.sleep(0.1)


@contextmanager
def open_warehouse(
    settings: Settings, log: Callable[[str], None] = lambda _: None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to the warehouse with its raw tables created, in UTC. Take `warehouse_lock` first.

    A warehouse of an earlier version is first copied and upgraded, which is logged.

    Raises:
        WarehouseError: the file cannot be opened or written (no space, no permission, damaged), or is of a newer
        version.
    """
    connection = _connect(settings)
    try:
        if migrations.is_older(connection, settings.warehouse_path):
            version = migrations.stored_version(connection)
            connection.close()  # its checkpoint leaves the file complete
            copy = migrations.keep_copy(settings.warehouse_path, version)
            connection = _connect(settings)
            with transaction(connection):
                migrations.upgrade(connection)
            log(f"the warehouse is upgraded from schema version {version} to {migrations.NEWEST}; {copy} is as it was")
        connection.execute("set timezone = 'UTC'")
        if (memory := database_memory()) < MOST:  # else the database's own share of the machine
            connection.execute(f"set memory_limit = '{memory}B'")
        # Landing commits often; a checkpoint after each commit would rewrite the same last rows again and again.
        connection.execute("set checkpoint_threshold = '256MB'")
        connection.execute(RAW_TABLES)
        migrations.remember_version(connection)
        yield connection
    except duckdb.Error as error:
        raise WarehouseError(
            f"The warehouse {settings.warehouse_path} cannot be written: {_first_line(error)}"
        ) from error
    finally:
        connection.close()


def whole_file(settings: Settings) -> Path:
    """The warehouse as one complete file, to be copied while the caller holds the lock.

    Opened and closed, a warehouse that a killed batch left is one file again.

    Raises:
        duckdb.Error: it cannot be opened.
    """
    duckdb.connect(settings.warehouse_path).close()
    return settings.warehouse_path


def _connect(settings: Settings) -> duckdb.DuckDBPyConnection:
    try:
        return duckdb.connect(settings.warehouse_path)
    except duckdb.Error as error:
        raise WarehouseError(
            f"The warehouse {settings.warehouse_path} cannot be opened: {_first_line(error)}"
        ) from error


@contextmanager
def transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Run the block's statements in one transaction."""
    connection.execute("begin")
    try:
        yield
        connection.execute("commit")
    except BaseException:
        with suppress(duckdb.Error):  # after some failures, such as a full disk, DuckDB has already ended it
            connection.execute("rollback")
        raise


def changed_minutes_of(events: str) -> str:
    """The statement that records the sites and minutes of some events, so that their windows are recomputed.

    `events` follows `from`: a relation with `site_id` and `event_at`. Code that adds or removes rows of raw.events runs
    this statement in the same transaction. All windows begin and end at whole UTC minutes, so each minute lies in one
    window. The models find the other minutes that a counter's reading changes.
    """
    # Integer arithmetic takes a sixth of the time of date_trunc.
    return (
        "insert into raw.changed_minutes select site_id, make_timestamptz(minute * 60000000) "
        f"from (select distinct site_id, epoch_us(event_at) // 60000000 as minute from {events})"
    )


def changed_objects_of(objects: str) -> str:
    """The statement that records earlier objects whose counts or rejected records change, or that are removed.

    `objects` follows `from`: a relation with `object_key` and `etag`. Run it in the transaction that changes them. New
    objects need no record.
    """
    return f"insert into raw.changed_objects select distinct object_key, etag from {objects}"


def raw_state(connection: duckdb.DuckDBPyConnection) -> str:
    """A hash over all inputs of the models: landed records, replays, registries and settings."""
    registries = ", ".join(
        f"(select md5(string_agg({table}::varchar, chr(10) order by {table}::varchar)) from raw.{table})"
        for table in (*map(table_of, FILES), "settings", "identity", "unread_objects")
    )
    row = connection.execute(
        "select md5([max(object_id)::varchar, sum(accepted)::varchar, sum(rejected)::varchar, "
        f"(select count(*) from raw.registry_versions)::varchar, {registries}]::varchar) "
        "from raw.landed_objects"
    ).fetchone()
    return str(row[0]) if row else ""


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0]
