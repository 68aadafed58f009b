"""Reads landed objects again: those whose rejected records do not all have rows (torn ones, or too many), and those of
a source whose mapping has changed, if a person asks for that.

Their content is in the archive or still at its key. If anything has changed, all rows of the object are replaced in one
transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import NamedTuple

import duckdb

from ingestion.bucket import Bucket, FetchedObject, ObjectReplaced, archive_key, open_landing_bucket
from ingestion.identity.identity import Identity
from ingestion.identity.people import nameless_sites
from ingestion.landing.commit import replace_object
from ingestion.landing.growth import original_key
from ingestion.landing.pipeline import Chunk, no_mapping, read_chunks, source_of
from ingestion.registry.mappings import mappings_in_force
from ingestion.settings import Settings

# Superseded content is read again only for a source: its events still take part in every figure.
_CANDIDATES = """
    select object_id, object_key, etag, landed_at, records, accepted, mapping, object_id in (
        select object_id from raw.rejected_records where position = 0 and superseded_at is null
    ) as is_incomplete
    from raw.landed_objects
    where is_incomplete or (len($sources::varchar[]) > 0 and contains(lower(object_key), 'source='))
    order by object_id
"""


class _Candidate(NamedTuple):
    """A landed object to be read again."""

    object_id: int
    key: str
    etag: str
    landed_at: datetime
    records: int
    accepted: int
    mapping: str | None


class Reread(NamedTuple):
    """Objects read again, those no longer in the bucket, and of their records how many were not accepted before and how
    many more are accepted now.
    """

    objects: int = 0
    missing: int = 0
    tried: int = 0
    accepted: int = 0


class _Landed:
    """A bucket that finds landed objects, given as keys with etags, in the archive or at their keys."""

    def __init__(self, bucket: Bucket, etags: Mapping[str, str]) -> None:
        self._bucket = bucket
        self._etags = etags

    def fetch(self, keys: Sequence[str], max_bytes: int | None = None) -> Iterator[FetchedObject]:
        """The object from the archive, or from its key if that still has the same content."""
        (key,) = keys
        kept = archive_key(key, self._etags[key])
        for fetched in self._bucket.fetch([kept], max_bytes):
            yield fetched._replace(key=key, identity=None)
            return
        for fetched in self._bucket.fetch([key], max_bytes):
            if fetched.etag == self._etags[key]:
                yield fetched

    def pieces(self, fetched: FetchedObject) -> Iterator[bytes]:
        """The object's content in pieces, from the place where it was found."""
        try:
            yield from self._bucket.pieces(fetched._replace(key=archive_key(fetched.key, self._etags[fetched.key])))
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


def reread_objects(
    connection: duckdb.DuckDBPyConnection, settings: Settings, identity: Identity, sources: Collection[str] = ()
) -> Reread:
    """Read these objects again as of their original landing, each in a transaction of its own.

    With `sources`, also the objects of these sources that were not read through the mapping in force.

    Raises:
        MappingError: a mapping is missing or fails; objects read before keep their new rows.
    """
    mappings = mappings_in_force(connection)
    for source in sources:
        if source not in mappings:
            raise no_mapping(source)
    rows = connection.execute(_CANDIDATES, {"sources": list(sources)}).fetchall()
    candidates = [
        one
        for *values, is_incomplete in rows
        if _is_due(one := _Candidate(values[0], original_key(values[1]), *values[2:]), is_incomplete, sources, mappings)
    ]
    if not candidates:
        return Reread()
    bucket = open_landing_bucket(settings)
    identity = replace(identity, nameless_sites=nameless_sites(connection))
    objects = missing = tried = accepted = 0
    for share in _shares(candidates):
        landed = _Landed(bucket, {one.key: one.etag for one in share})
        at, keys = share[0].landed_at.astimezone(UTC), [[one.key] for one in share]
        chunks = read_chunks(landed, keys, _Nothing(), settings, at, identity.nameless_sites, mappings)
        for one, chunk in zip(share, chunks, strict=True):
            gained = _replace(connection, chunk, identity, one)
            objects += gained is not None
            missing += gained is None
            if gained is not None:
                tried += one.records - one.accepted
                accepted += gained
    return Reread(objects, missing, tried, accepted)


def _is_due(one: _Candidate, is_incomplete: bool, sources: Collection[str], mappings: Mapping[str, object]) -> bool:
    """Whether an object is to be read again. Without being asked, nothing is read under another mapping than before."""
    source = source_of(one.key)
    in_force = getattr(mappings.get(source or ""), "label", None)
    if source in sources:
        return is_incomplete or one.mapping != in_force
    return is_incomplete and one.mapping == in_force


def _shares(candidates: list[_Candidate]) -> Iterator[list[_Candidate]]:
    """Candidates that landed at one instant and have different keys, so that one pipeline can read them."""
    share: dict[str, _Candidate] = {}
    for one in candidates:
        if share and (one.key in share or one.landed_at != next(iter(share.values())).landed_at):
            yield list(share.values())
            share = {}
        share[one.key] = one
    if share:
        yield list(share.values())


def _replace(connection: duckdb.DuckDBPyConnection, chunk: Chunk, identity: Identity, one: _Candidate) -> int | None:
    """How many more records of the object are accepted now; None if it is no longer in the bucket."""
    read = chunk.records if chunk.table == "labels" else identity.records(chunk.records)
    try:
        before = (one.records, one.accepted, one.mapping)
        accepted = replace_object(connection, chunk.table, read, one.object_id, before)
    except ObjectReplaced:
        return None
    return None if accepted is None else accepted - one.accepted
