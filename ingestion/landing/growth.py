"""Objects whose writer goes on: what came into an archived file after it was landed is landed too.

A writer that keeps a file open goes on in it after its move to the archive. So for a day each archived file's size is
looked at; one that has grown is landed once more as a whole, as new content of its key, whose duplicates fall.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

import duckdb

from ingestion.bucket import Bucket, FetchedObject, LocalBucket, archive_key
from ingestion.landing.manifest import storable_key

LOOKED_AT_FOR = timedelta(days=1)
_ESCAPED = re.compile(r"\\x([89a-f][0-9a-f])")


class Grown:
    """The archived files that have grown, by their objects' keys, as a bucket that landing reads them from."""

    def __init__(self, bucket: LocalBucket, before: dict[str, str], now: dict[str, FetchedObject]) -> None:
        self._bucket = bucket
        self._before = before  # by key the etag that the file was archived with
        self.objects = now

    def fetch(self, keys: Sequence[str], max_bytes: int | None = None) -> Iterator[FetchedObject]:
        """As a bucket does; one that is growing at this moment is left out until the next batch."""
        for key in keys:
            for fetched in self._bucket.fetch([archive_key(key, self._before[key])], max_bytes):
                yield fetched._replace(key=key)

    def pieces(self, fetched: FetchedObject) -> Iterator[bytes]:
        """As a bucket does."""
        return self._bucket.pieces(fetched._replace(key=archive_key(fetched.key, self._before[fetched.key])))

    def keep(self, objects: Iterable[FetchedObject]) -> None:
        """Name the files after what they are now; called when that is landed."""
        for one in objects:
            self._bucket.keep_as(one.key, self._before[one.key], one.etag)


def find_grown(connection: duckdb.DuckDBPyConnection, bucket: Bucket, now: datetime) -> Grown | None:
    """The files archived within the last day that hold more than what was landed of them; None where there is none.

    A server's objects do not grow: what is written to a key there is a new object.
    """
    if not isinstance(bucket, LocalBucket):
        return None
    rows = connection.execute(
        "select object_key, etag, bytes from raw.landed_objects where landed_at > $since::timestamptz "
        "order by object_id",
        {"since": now - LOOKED_AT_FOR},
    ).fetchall()
    before: dict[str, str] = {}
    found: dict[str, FetchedObject] = {}
    for stored, etag, size in rows:
        key = original_key(stored)
        if bucket.changed_copy(key, etag, size) and (grown := bucket.grown(key, etag, size)) is not None:
            before[key], found[key] = etag, grown
    return Grown(bucket, before, found) if found else None


def original_key(stored: str) -> str:
    """The key that `storable_key` stored, where it is that of a file: bytes that are no UTF-8 included."""
    if "\\x" not in stored:
        return stored
    key = _ESCAPED.sub(lambda found: bytes([int(found[1], 16)]).decode("utf-8", "surrogateescape"), stored)
    return key if storable_key(key) == stored else stored
