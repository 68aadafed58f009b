"""Lands one batch: the bucket's new objects go into the raw tables, exactly once.

An object is identified by its key and its etag. Its events, its rejected records and its manifest row commit in one
transaction. Only then is it archived, concurrently with the landing of the next objects (`archiving.py`). A process
killed before the commit leaves nothing of the object; a process killed after it leaves an object that the next run
recognises and only archives.

The listing is processed in windows and never held as a whole. An object that the listing shows as landed (by the
server's etag, or by the file's version in a folder whose objects are kept) is not read again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

import duckdb

from ingestion.bucket import Bucket, ObjectInfo, ObjectReplaced, is_still, open_landing_bucket
from ingestion.contract.event_key import sample_bound
from ingestion.identity.identity import Identity, settle_identity
from ingestion.identity.people import settle_people
from ingestion.landing.archiving import Archiver, ArchiveReport
from ingestion.landing.commit import commit
from ingestion.landing.continuity import note_state
from ingestion.landing.growth import find_grown
from ingestion.landing.label_settling import settle_labels
from ingestion.landing.manifest import Manifest, landing_time, remember_kept
from ingestion.landing.pipeline import Chunk, Mappings, read_chunks, source_of, table_of
from ingestion.landing.stopped_sources import StoppedSources
from ingestion.landing.unexpected_fields import say_resembling
from ingestion.landing.unread import Unread, named, pending_objects, remember_unread
from ingestion.mapping.mapping import MappingError
from ingestion.records.opening import HELD_BYTES
from ingestion.registry.in_force import settle_registries
from ingestion.registry.mappings import mappings_in_force
from ingestion.settings import Settings
from ingestion.warehouse import open_warehouse, transaction

# Listing entries held at once, about 300 bytes each.
WINDOW_OBJECTS = 100_000
# One transaction's share: it spreads the cost of a commit, and it is what a failure makes the next run read again.
CHUNK_BYTES = 256 * 1024 * 1024
CHUNK_OBJECTS = 20_000


@dataclass(frozen=True, slots=True)
class LandingReport:
    """What one landing did. `already_landed` counts objects seen again; `records` counts records of newly landed
    objects.

    `accepted` counts events, `labels` accepted labels, and `labels_without_event` labels whose event has not arrived.

    Archiving runs concurrently and is timed separately: `archive_seconds` in all, of which `archive_wait_seconds`
    passed after the last commit and are not part of `seconds`. `not_archived` objects stay for the next batch. `unread`
    counts objects that were skipped; `unreadable` of them were skipped for lack of permission. `growing` objects were
    still being written when they were landed; they are landed once more. `waiting` objects have a mapping that is
    missing or fails.
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
    unread: int = 0
    growing: int = 0
    waiting: int = 0


def land(
    settings: Settings,
    now: datetime,
    log: Callable[[str], None] = lambda _: None,
    bucket: Bucket | None = None,
) -> LandingReport:
    """Read the registries, then land every object of the bucket that has not landed yet. The caller holds the lock.

    `now` is the machine's clock. If the clock was set back after the last landing, the time of that landing is used.
    `bucket` replaces the plant's own bucket, so that a rebuild lands archived objects in the same way (rebuild.py).

    Raises:
        RegistryError: the first version of a registry file cannot be right; nothing was landed.
        BucketError, WarehouseError: committed chunks stay; the next run lands the rest.
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
        newest_before = _newest_object(connection)
        if count := bucket.put_back():
            log(f"{count:,} objects put back that an earlier batch was archiving when it ended")
        unread, stopped = Unread(now), StoppedSources()
        mappings = mappings_in_force(connection)
        still = (info for info in pending_objects(bucket, unread) if is_still(info, now, settings.still_seconds))
        for window in _windows(still):
            log(f"{len(window):,} objects in the bucket")
            manifest = Manifest(connection, bucket, window, settings, landed_at)
            if settings.landed_objects == "archive":
                archiver.take(manifest.settled(manifest.landed))
            report = replace(report, already_landed=report.already_landed + len(manifest.landed))
            chunks = _chunks(manifest.pending)
            for chunk in read_chunks(bucket, chunks, manifest, settings, landed_at, identity.nameless_sites, mappings):
                try:
                    report = _land_chunk(connection, chunk, identity, landed_at, report, log)
                except MappingError as failure:
                    stopped.note(source_of(chunk.keys[0]) or "", len(chunk.keys), failure)
                    continue
                except ObjectReplaced as replaced:
                    log(f"{replaced} was replaced while it was read; the next batch lands what is there then")
                    continue
                if settings.landed_objects == "archive":
                    archiver.take(manifest.settled(chunk.fetched))
                else:
                    remember_kept(connection, chunk.fetched)
                log(f"landed {report.objects:,} objects, {report.accepted:,} events, {report.rejected:,} rejected")
        say_resembling(connection, newest_before, log)
        landed = time.monotonic()
        archived = archiver.finish()
        waited = time.monotonic() - landed
        if settings.landed_objects == "archive":
            report = _land_grown(connection, bucket, identity, settings, landed_at, report, mappings, log)
        waiting = settle_labels(connection, landed_at)
        for passed in bucket.passed_over:
            unread.note(passed)
        remember_unread(connection, unread)
        stopped.remember(connection, landed_at)
        note_state(settings, connection, bucket, log)
    _say_archived(archived, log)
    for sentence in (*unread.sentences(), *stopped.sentences()):
        log(sentence)
    return replace(
        report,
        labels_without_event=waiting,
        seconds=time.monotonic() - started - waited,
        archived=archived.archived,
        not_archived=archived.left,
        archive_failure=archived.failure,
        archive_seconds=archived.seconds,
        archive_wait_seconds=waited,
        unreadable=unread.counts["no_right"],
        unread=unread.total,
        waiting=stopped.total,
    )


def _land_grown(
    connection: duckdb.DuckDBPyConnection,
    bucket: Bucket,
    identity: Identity,
    settings: Settings,
    landed_at: datetime,
    report: LandingReport,
    mappings: Mappings,
    log: Callable[[str], None],
) -> LandingReport:
    """Land archived files again that have grown since they were read, and log their names."""
    grown = find_grown(connection, bucket, landed_at)
    if grown is None:
        return report
    infos = [ObjectInfo(key, one.size, landed_at) for key, one in sorted(grown.objects.items())]
    log(named(f"{len(infos):,} objects have a writer that goes on after they were landed", grown.objects))
    manifest = Manifest(connection, bucket, infos, settings, landed_at)
    for chunk in read_chunks(grown, _chunks(infos), manifest, settings, landed_at, identity.nameless_sites, mappings):
        try:
            report = _land_chunk(connection, chunk, identity, landed_at, report, log)
        except (ObjectReplaced, MappingError):  # still growing, or to be mended: the next batch lands all of it
            continue
        grown.keep(chunk.fetched)
    return replace(report, growing=len(infos))


def _say_archived(report: ArchiveReport, log: Callable[[str], None]) -> None:
    if report.archived:
        log(f"archived {report.archived:,} objects in {report.seconds:.1f} s, beside the landing")
    if report.left:
        log(f"{report.left:,} landed objects are not archived yet, the next batch tries again: {report.failure}")


def _windows(listing: Iterator[ObjectInfo]) -> Iterator[list[ObjectInfo]]:
    """Windows of the listing with each key once; the listing may show an object twice that is replaced meanwhile."""
    while window := {info.key: info for info in islice(listing, WINDOW_OBJECTS)}:
        yield [window[key] for key in sorted(window)]


def _chunks(pending: list[ObjectInfo]) -> Iterator[list[str]]:
    """Shares of the keys, each for one table and of one source."""
    chunk: list[str] = []
    size = 0
    for info in sorted(pending, key=lambda info: source_of(info.key) or ""):
        # An object read in blocks gets its own transaction: if it is replaced meanwhile, no other object has to wait.
        own = info.size if info.size <= HELD_BYTES else CHUNK_BYTES + 1
        is_full = size + own > CHUNK_BYTES or len(chunk) == CHUNK_OBJECTS
        is_other = bool(chunk) and (
            table_of(info.key) != table_of(chunk[0]) or source_of(info.key) != source_of(chunk[0])
        )
        if chunk and (is_full or is_other):
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
    log: Callable[[str], None],
) -> LandingReport:
    records = chunk.records if chunk.table == "labels" else identity.records(chunk.records)
    for sentence in commit(connection, chunk.table, records, landed_at):
        log(sentence)
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


def _newest_object(connection: duckdb.DuckDBPyConnection) -> int:
    row = connection.execute("select coalesce(max(object_id), 0) from raw.landed_objects").fetchone()
    return int(row[0]) if row else 0


def _replace_settings(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Store the settings that the dbt models read."""
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
