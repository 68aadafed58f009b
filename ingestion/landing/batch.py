"""One batch: the bucket's new objects into the raw tables, exactly once.

An object is known by its key and its etag. Its events, its rejected records and its manifest row commit in one
transaction; only then it is archived, beside the landing and without holding it up (`archiving.py`). A process killed
before the commit leaves nothing of the object, one killed after it leaves an object that the next run recognises and
only archives.

The listing is taken a window at a time and never held as a whole. An object that it shows to be landed already (by the
server's etag; in a folder whose objects are kept, by the file's version) is not read again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

import duckdb
import pyarrow as pa

from ingestion.bucket import Bucket, ObjectInfo, ObjectReplaced, is_still, open_landing_bucket
from ingestion.contract.event_key import sample_bound
from ingestion.errors import WarehouseError
from ingestion.identity.identity import Identity, settle_identity
from ingestion.identity.people import settle_people
from ingestion.landing.archiving import Archiver, ArchiveReport
from ingestion.landing.continuity import note_state
from ingestion.landing.label_settling import settle_labels
from ingestion.landing.manifest import Manifest, landing_time, remember_kept, storable_key
from ingestion.landing.pipeline import TABLES, Chunk, read_chunks, table_of
from ingestion.landing.unexpected_fields import record_unexpected_fields
from ingestion.records.opening import HELD_BYTES
from ingestion.records.read_objects import Lot, ReadObjects
from ingestion.registry.in_force import settle_registries
from ingestion.settings import Settings
from ingestion.warehouse import changed_minutes_of, open_warehouse, transaction

OBJECT_ENDINGS = tuple(
    f".{form}{compression}" for form in ("json", "jsonl", "ndjson") for compression in ("", ".gz", ".zst")
)

# Of the listing held at once, about 300 bytes each.
WINDOW_OBJECTS = 100_000
# One transaction's share: what a commit costs is spread over so much, and so much is read again after a failure.
CHUNK_BYTES = 256 * 1024 * 1024
CHUNK_OBJECTS = 20_000


@dataclass(frozen=True, slots=True)
class LandingReport:
    """What one landing did. `already_landed` counts objects seen again, `records` those of newly landed ones.

    `accepted` counts events, `labels` accepted labels; `labels_without_event` those that wait for theirs.

    Archiving goes on beside the landing and has a time of its own: `archive_seconds` in all, `archive_wait_seconds` of
    them after the last commit, which are not in `seconds`. `not_archived` objects stay for the next batch.
    `unreadable` ones, which this user may not read, stay too, until somebody gives the right.
    """

    objects: int = 0
    bytes: int = 0
    records: int = 0
    accepted: int = 0
    rejected: int = 0
    already_landed: int = 0
    labels: int = 0
    labels_without_event: int = 0
    seconds: float = 0.0
    archived: int = 0
    not_archived: int = 0
    archive_failure: str | None = None
    archive_seconds: float = 0.0
    archive_wait_seconds: float = 0.0
    unreadable: int = 0


def land(
    settings: Settings,
    now: datetime,
    log: Callable[[str], None] = lambda _: None,
    bucket: Bucket | None = None,
) -> LandingReport:
    """Read the registries, then land every object of the bucket that is not landed yet. The caller holds the lock.

    `now` is the machine's clock; where that has been put back since the last landing, the time of that landing counts.
    `bucket` stands for the plant's own where something else is landed in the same way (rebuild.py).

    Raises:
        RegistryError: the first version of a registry file cannot be right; nothing was landed.
        BucketError, WarehouseError: the chunks committed so far stay, the rest is for the next run.
    """
    started = time.monotonic()
    bucket = bucket or open_landing_bucket(settings)
    report = LandingReport()
    with open_warehouse(settings, log) as connection, Archiver(bucket) as archiver:
        identity = settle_identity(connection, settings)
        landed_at = landing_time(connection, now, log)
        settle_registries(connection, bucket, identity, settings, now, landed_at, log)
        _replace_settings(connection, settings)
        identity = settle_people(connection, settings, identity)
        if count := bucket.put_back():
            log(f"{count:,} objects put back that an earlier batch was archiving when it ended")
        still = (info for info in pending_objects(bucket) if is_still(info, now, settings.still_seconds))
        for window in _windows(still):
            log(f"{len(window):,} objects in the bucket")
            manifest = Manifest(connection, bucket, window, settings)
            if settings.landed_objects == "archive":
                archiver.take(manifest.landed)
            report = replace(report, already_landed=report.already_landed + len(manifest.landed))
            for chunk in read_chunks(
                bucket, _chunks(manifest.pending), manifest, settings, landed_at, identity.nameless_sites
            ):
                try:
                    report = _land_chunk(connection, chunk, identity, landed_at, report)
                except ObjectReplaced as replaced:
                    log(f"{replaced} was replaced while it was read; the next batch lands what is there then")
                    continue
                if settings.landed_objects == "archive":
                    archiver.take(chunk.fetched)
                else:
                    remember_kept(connection, chunk.fetched)
                log(f"landed {report.objects:,} objects, {report.accepted:,} events, {report.rejected:,} rejected")
        waiting = settle_labels(connection, landed_at)
        landed = time.monotonic()
        archived = archiver.finish()
        waited = time.monotonic() - landed
        note_state(settings, connection, bucket, log)
    _say_archived(archived, log)
    if bucket.unreadable:
        log(f"{len(bucket.unreadable):,} objects may not be read by this user, among them {bucket.unreadable[0]}")
    return replace(
        report,
        labels_without_event=waiting,
        seconds=time.monotonic() - started - waited,
        archived=archived.archived,
        not_archived=archived.left,
        archive_failure=archived.failure,
        archive_seconds=archived.seconds,
        archive_wait_seconds=waited,
        unreadable=len(bucket.unreadable),
    )


def _say_archived(report: ArchiveReport, log: Callable[[str], None]) -> None:
    if report.archived:
        log(f"archived {report.archived:,} objects in {report.seconds:.1f} s, beside the landing")
    if report.left:
        log(f"{report.left:,} landed objects are not archived yet, the next batch tries again: {report.failure}")


def pending_objects(bucket: Bucket) -> Iterator[ObjectInfo]:
    """The objects of events and labels that lie in the bucket now, landed before or not."""
    return (info for prefix in TABLES for info in bucket.list(prefix) if info.key.endswith(OBJECT_ENDINGS))


def _windows(listing: Iterator[ObjectInfo]) -> Iterator[list[ObjectInfo]]:
    """Shares of the listing, each key once: an object that is replaced during the listing may be shown twice."""
    while window := {info.key: info for info in islice(listing, WINDOW_OBJECTS)}:
        yield [window[key] for key in sorted(window)]


def _chunks(pending: list[ObjectInfo]) -> Iterator[list[str]]:
    chunk: list[str] = []
    size = 0
    for info in pending:
        # One that is read in blocks has a transaction of its own: where it is replaced meanwhile, no other one waits.
        own = info.size if info.size <= HELD_BYTES else CHUNK_BYTES + 1
        is_full = size + own > CHUNK_BYTES or len(chunk) == CHUNK_OBJECTS
        if chunk and (is_full or table_of(info.key) != table_of(chunk[0])):
            yield chunk
            chunk, size = [], 0
        chunk.append(info.key)
        size += own
    if chunk:
        yield chunk


def _land_chunk(
    connection: duckdb.DuckDBPyConnection,
    chunk: Chunk,
    identity: Identity,
    landed_at: datetime,
    report: LandingReport,
) -> LandingReport:
    records = chunk.records if chunk.table == "labels" else identity.records(chunk.records)
    _commit(connection, chunk.table, records, landed_at)
    rejected = sum(records.rejected_counts)
    accepted = sum(records.record_counts) - rejected
    return replace(
        report,
        objects=report.objects + len(records.objects),
        bytes=report.bytes + sum(one.size for one in records.objects),
        records=report.records + sum(records.record_counts),
        accepted=report.accepted + (accepted if chunk.table == "events" else 0),
        labels=report.labels + (accepted if chunk.table == "labels" else 0),
        rejected=report.rejected + rejected,
        already_landed=report.already_landed + len(chunk.fetched) - len(records.objects),
    )


def _commit(connection: duckdb.DuckDBPyConnection, table: str, records: ReadObjects, now: datetime) -> None:
    """Accepted and rejected records and manifest rows of some objects in one transaction: the one place that lands."""
    with transaction(connection):
        row = connection.execute("select coalesce(max(object_id), 0) from raw.landed_objects").fetchone()
        first_id = (row[0] if row else 0) + 1
        for lot in records.rows:
            _append(connection, lot, first_id)
        if records.replaced is not None:
            raise ObjectReplaced(records.replaced)
        objects = records.objects
        if not objects:
            return  # all of them turned out to be landed already
        ids = range(first_id, first_id + len(objects))
        manifest = pa.table(  # noqa: F841  # DuckDB finds the tables by their names
            {
                "object_id": pa.array(ids, pa.int64()),
                "object_key": [storable_key(one.key) for one in objects],
                "etag": [one.etag for one in objects],
                "bytes": pa.array([one.size for one in objects], pa.int64()),
                "records": pa.array(records.record_counts, pa.int64()),
                "rejected": pa.array(records.rejected_counts, pa.int64()),
                "unexpected_fields": pa.array(
                    [sorted(names) for names in records.unexpected_fields], pa.list_(pa.string())
                ),
            }
        )
        connection.execute(
            "insert into raw.landed_objects by name "
            "select *, records - rejected as accepted, $now::timestamptz as landed_at from manifest",
            {"now": now},
        )
        connection.execute(changed_minutes_of("raw.events where object_id >= $first_id"), {"first_id": first_id})
        if table == "events":
            ids_with_fields = [one for one, names in zip(ids, records.unexpected_fields, strict=True) if names]
            record_unexpected_fields(connection, ids_with_fields)
        _check_conservation(connection, table, first_id)


def _append(connection: duckdb.DuckDBPyConnection, lot: Lot, first_id: int) -> None:
    """Rows behind those that are stored. The one place where what lands is written."""
    rows = lot.rows  # noqa: F841  # DuckDB finds the table by its name
    connection.execute(
        f"insert into raw.{lot.table} by name "
        "select * exclude (object_index), object_index + $first_id as object_id from rows",
        {"first_id": first_id},
    )


def _check_conservation(connection: duckdb.DuckDBPyConnection, table: str, first_id: int) -> None:
    """Every record of the objects from `first_id` on is stored exactly once, as accepted or as rejected."""
    row = connection.execute(
        f"""
        select
            (select sum(accepted) from raw.landed_objects where object_id >= $first_id),
            (select count(*) from raw.{table} where object_id >= $first_id),
            (select sum(rejected) from raw.landed_objects where object_id >= $first_id),
            (select count(*) from raw.rejected_records where object_id >= $first_id)
        """,
        {"first_id": first_id},
    ).fetchone()
    if row is None or (row[0], row[2]) != (row[1], row[3]):
        raise WarehouseError(
            f"Records would be lost or doubled (accepted, stored, rejected, stored: {row}); nothing of them was landed."
        )


def _replace_settings(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """The settings that the models read."""
    with transaction(connection):
        connection.execute("delete from raw.settings")
        connection.execute(
            "insert into raw.settings by name "
            "select ? as last_event_microseconds, ? as max_state_microseconds, ? as review_keys_below",
            [
                _microseconds(settings.last_event_minutes),
                _microseconds(settings.max_state_minutes),
                sample_bound(settings.review_fraction),
            ],
        )


def _microseconds(minutes: float | None) -> int | None:
    return None if minutes is None else round(minutes * 60_000_000)
