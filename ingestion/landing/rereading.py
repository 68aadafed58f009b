"""Reads landed objects again whose rejected records do not all have rows: torn objects and those with too many.

Their content is in the archive or still at its key. If anything has changed, all rows of the object are replaced in one
transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC
from typing import Any

import duckdb

from ingestion.bucket import Bucket, FetchedObject, ObjectReplaced, archive_key, open_landing_bucket
from ingestion.identity.identity import Identity
from ingestion.identity.people import nameless_sites
from ingestion.landing.commit import replace_object
from ingestion.landing.growth import original_key
from ingestion.landing.pipeline import Chunk, read_chunks
from ingestion.settings import Settings

# Superseded content is not read again.
_CANDIDATES = """
    select object_id, object_key, etag, landed_at, records, accepted
    from raw.landed_objects
    where object_id in (
        select object_id from raw.rejected_records where position = 0 and superseded_at is null
    )
    order by object_id
"""


class _Landed:
    """A bucket that finds a landed object in the archive or at its key."""

    def __init__(self, bucket: Bucket, etag: str) -> None:
        self._bucket = bucket
        self._etag = etag

    def fetch(self, keys: Sequence[str], max_bytes: int | None = None) -> Iterator[FetchedObject]:
        """The object from the archive, or from its key if that still has the same content."""
        (key,) = keys
        kept = archive_key(key, self._etag)
        for fetched in self._bucket.fetch([kept], max_bytes):
            yield fetched._replace(key=key, identity=None)
            return
        for fetched in self._bucket.fetch([key], max_bytes):
            if fetched.etag == self._etag:
                yield fetched

    def pieces(self, fetched: FetchedObject) -> Iterator[bytes]:
        """The object's content in pieces, from the place where it was found."""
        try:
            yield from self._bucket.pieces(fetched._replace(key=archive_key(fetched.key, self._etag)))
        except ObjectReplaced:
            yield from self._bucket.pieces(fetched)


class _Nothing:
    """An empty manifest, so that every object is read."""

    def has(self, key: str, etag: str) -> bool:  # noqa: ARG002
        """Return False for every content."""
        return False

    def knows(self, key: str) -> bool:  # noqa: ARG002
        """Return False for every key."""
        return False


def reread_objects(connection: duckdb.DuckDBPyConnection, settings: Settings, identity: Identity) -> tuple[int, int]:
    """Read these objects again as of their original landing; return records tried and how many more are accepted."""
    tried = accepted = 0
    candidates: list[Any] = connection.execute(_CANDIDATES).fetchall()
    if not candidates:
        return 0, 0
    bucket = open_landing_bucket(settings)
    identity = replace(identity, nameless_sites=nameless_sites(connection))
    for object_id, stored, etag, landed_at, records, accepted_before in candidates:
        key = original_key(stored)
        source = _Landed(bucket, etag)
        at = landed_at.astimezone(UTC)
        chunks = read_chunks(source, [[key]], _Nothing(), settings, at, identity.nameless_sites)
        for chunk in chunks:
            gained = _replace(connection, chunk, identity, object_id, (records, accepted_before))
            if gained is not None:
                tried += records - accepted_before
                accepted += gained
    return tried, accepted


def _replace(
    connection: duckdb.DuckDBPyConnection,
    chunk: Chunk,
    identity: Identity,
    object_id: int,
    before: tuple[int, int],
) -> int | None:
    """How many more records of the object are accepted now; None if it is no longer in the bucket."""
    read = chunk.records if chunk.table == "labels" else identity.records(chunk.records)
    try:
        accepted = replace_object(connection, chunk.table, read, object_id, before)
    except ObjectReplaced:
        return None
    return None if accepted is None else accepted - before[1]
