"""Lands what a writer writes into a file after the file was landed and archived.

A writer that keeps a file open continues to write to it after its move to the archive. It may append, or begin again
from the start. The size and the times of each archived file are therefore checked for a day. A file that has changed is
landed again as a whole, as new content of its key; records that were landed before are then duplicates. A copy that the
erasure of a person has rewritten is none of these.
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
    """The archived files that have changed, presented as a bucket under their original keys."""

    def __init__(self, bucket: LocalBucket, before: dict[str, str], now: dict[str, FetchedObject]) -> None:
        self._bucket = bucket
        self._before = before  # the etag that each file was archived with, by key
        self.objects = now

    def fetch(self, keys: Sequence[str], max_bytes: int | None = None) -> Iterator[FetchedObject]:
        """Fetch as a bucket does; a file that is still being written is left to the next batch."""
        for key in keys:
            for fetched in self._bucket.fetch([archive_key(key, self._before[key])], max_bytes):
                yield fetched._replace(key=key)

    def pieces(self, fetched: FetchedObject) -> Iterator[bytes]:
        """Return the content as a bucket does."""
        return self._bucket.pieces(fetched._replace(key=archive_key(fetched.key, self._before[fetched.key])))

    def keep(self, objects: Iterable[FetchedObject]) -> None:
        """Rename the files after their new etags, once their content has landed."""
        for one in objects:
            self._bucket.keep_as(one.key, self._before[one.key], one.etag)


def find_grown(connection: duckdb.DuckDBPyConnection, bucket: Bucket, now: datetime) -> Grown | None:
    """The files archived within the last day that have changed since they were landed; None if there are none.

    Objects on a server cannot change: a write to a key makes a new object.
    """
    if not isinstance(bucket, LocalBucket):
        return None
    rows = connection.execute(
        "select object_key, etag, bytes from raw.landed_objects where landed_at > $since::timestamptz "
        "order by object_id",
        {"since": now - LOOKED_AT_FOR},
    ).fetchall()
    erased = {copy for (copy,) in connection.execute("select archive_key from raw.rewritten_copies").fetchall()}
    before: dict[str, str] = {}
    found: dict[str, FetchedObject] = {}
    for stored, etag, size in rows:
        key = original_key(stored)
        if not bucket.may_have_changed(key, etag, size) or storable_key(archive_key(key, etag)) in erased:
            continue
        if (changed := bucket.changed_copy(key, etag)) is not None:
            before[key], found[key] = etag, changed
    return Grown(bucket, before, found) if found else None


def original_key(stored: str) -> str:
    """The file's key that `storable_key` stored, with the bytes that are not UTF-8 restored."""
    if "\\x" not in stored:
        return stored
    key = _ESCAPED.sub(lambda found: bytes([int(found[1], 16)]).decode("utf-8", "surrogateescape"), stored)
    return key if storable_key(key) == stored else stored
