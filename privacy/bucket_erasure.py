"""Erases a person's records from the bucket: archived objects, objects still to land, labels and registry files.

An archived object keeps its name, and the manifest keeps the object's original etag, so it is never landed again. A
landed object that stays in place (`keep`) gets a new etag in the bucket and in the manifest; the journal announces the
change first.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from dataclasses import replace as replace_fields
from datetime import UTC, datetime, timedelta

import duckdb

from ingestion.bucket import ARCHIVE_PREFIX, Bucket, FetchedObject, archive_key, is_ignored
from ingestion.bucket.rewriting import every_object, fetch_all, replace
from ingestion.contract.events import folder_of
from ingestion.identity.journal import PendingErasure
from ingestion.landing.continuity import ARCHIVED_STATE
from ingestion.landing.manifest import storable_key
from ingestion.records.unpacking import Undecodable
from ingestion.settings import Settings
from ingestion.warehouse import changed_objects_of, transaction
from privacy.contents import rows_without_person, without_person
from privacy.person import Person

# A file under an ignored name counts as being written until it has been untouched for this long.
UNFINISHED_HOURS = 1
# Stands for every place whose mentions are to be deleted too.
ALL_PLACES = "all"
_TRIES = 3  # of an object whose content is replaced while it is read


@dataclass
class BucketErasure:
    """What was done: records removed, objects rewritten, and keys that could not be read or are being written."""

    records: int = 0
    objects: int = 0
    unread: list[str] = field(default_factory=list)


def erase_from_bucket(
    bucket: Bucket,
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    person: Person,
    pending: PendingErasure,
    log: Callable[[str], None] = lambda _: None,
) -> BucketErasure:
    """Rewrite every object that holds records of the person. A second run changes nothing."""
    done = BucketErasure()
    bucket.put_back()  # files that a killed batch left between two names
    _finish_announced(bucket, connection, pending)
    unfinished_since = datetime.now(UTC) - timedelta(hours=UNFINISHED_HOURS)
    infos = []
    for info in every_object(bucket):
        if is_ignored(info.key) and info.key != ARCHIVED_STATE and info.modified > unfinished_since:
            done.unread.append(info.key)
        else:
            infos.append(info)
    for fetched in fetch_all(bucket, infos, settings.max_object_bytes):
        try:
            count = _rewrite(bucket, connection, settings, person, pending, fetched)
        except (Undecodable, ValueError):
            done.unread.append(fetched.key)
            continue
        if count:
            done.records += count
            done.objects += 1
            log(f"{count:,} records removed from {fetched.key}")
    return done


def is_also(place: str, also: Sequence[str]) -> bool:
    """Whether somebody said that what mentions the person in a place is theirs."""
    return ALL_PLACES in also or place in also


def plain_name(key: str) -> str:
    """The name of the finished object, whose ending says how its content is read."""
    for ending in (".tmp", ".part"):
        key = key.removesuffix(ending)
    stem, _, last = key.rpartition(".")
    return stem if last.isdigit() else key  # the process id of its writer


def content_without(fetched: FetchedObject, person: Person, max_bytes: int) -> tuple[bytes, int]:
    """An object's content without the person, and the number of records or rows removed.

    Raises:
        Undecodable, ValueError: the object cannot be read.
    """
    if fetched.content is None:
        raise Undecodable("larger than what is read")
    name = plain_name(fetched.key)
    if name.endswith(".csv"):
        return rows_without_person(fetched.content, person)
    return without_person(fetched.content, folder_of(fetched.key), person, max_bytes)


def _rewrite(
    bucket: Bucket,
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    person: Person,
    pending: PendingErasure,
    fetched: FetchedObject | None,
) -> int:
    """Erase the person from one object, wherever it is by then, and return the number of records removed."""
    for _ in range(_TRIES):
        if fetched is None:  # gone by now
            return 0
        told = replace_fields(person, takes_mentions=is_also(fetched.key, pending.also))
        content, count = content_without(fetched, told, settings.max_object_bytes)
        if not count:
            return 0
        if _is_landed(connection, fetched):
            if settings.landed_objects == "archive":  # a killed batch landed it but did not archive it
                bucket.archive(fetched)
                key = archive_key(fetched.key, fetched.etag)
                fetched = next(bucket.fetch([key], settings.max_object_bytes), None)
                continue
            announced = [fetched.etag, hashlib.blake2b(content, digest_size=16).hexdigest()]
            pending.rewriting[fetched.key] = announced
            pending.save()
            if replace(bucket, fetched, content):
                _finish_announced(bucket, connection, pending)
                return count
        else:
            if fetched.key.startswith(ARCHIVE_PREFIX):
                connection.execute(
                    "insert or ignore into raw.rewritten_copies values ($copy)", {"copy": storable_key(fetched.key)}
                )
            if replace(bucket, fetched, content):
                return count
        fetched = next(bucket.fetch([fetched.key], settings.max_object_bytes), None)
    raise ValueError("its content is replaced again and again")


def _is_landed(connection: duckdb.DuckDBPyConnection, fetched: FetchedObject) -> bool:
    query = "select true from raw.landed_objects where object_key = ? and etag = ?"
    return connection.execute(query, [storable_key(fetched.key), fetched.etag]).fetchone() is not None


def _finish_announced(bucket: Bucket, connection: duckdb.DuckDBPyConnection, pending: PendingErasure) -> None:
    """Store in the manifest the etag of each announced content that has been written."""
    for key, (etag, content_hash) in list(pending.rewriting.items()):
        for fetched in bucket.fetch([key]):
            if hashlib.blake2b(fetched.content or b"", digest_size=16).hexdigest() == content_hash:
                _change_etag(connection, storable_key(key), etag, fetched.etag)
        del pending.rewriting[key]
    pending.save()


def _change_etag(connection: duckdb.DuckDBPyConnection, key: str, before: str, now: str) -> None:
    with transaction(connection):
        for etag in (before, now):
            connection.execute(
                changed_objects_of("(select $key as object_key, $etag as etag)"), {"key": key, "etag": etag}
            )
        connection.execute(
            "update raw.landed_objects set etag = $now where object_key = $key and etag = $before",
            {"key": key, "before": before, "now": now},
        )
