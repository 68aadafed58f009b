"""Bucket operations that only erasure, retention and the clock check need: list every object, replace one, delete one,
and read the server's time.

Landing uses none of them. Knows nothing about the objects' content.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from ingestion.bucket.local import LocalBucket
from ingestion.bucket.objects import ARCHIVE_PREFIX, Bucket, FetchedObject, ObjectInfo
from ingestion.bucket.s3 import S3Bucket
from ingestion.errors import BucketError

_CHUNK_BYTES = 32 * 1024 * 1024
_CHUNK_OBJECTS = 1000
# Hidden, so that no listing takes it for an archived object.
_CLOCK = f"{ARCHIVE_PREFIX}.clock/now"


def every_object(bucket: Bucket) -> Iterator[ObjectInfo]:
    """All objects, including those that landing ignores: hidden, unfinished or outside its prefixes."""
    if isinstance(bucket, S3Bucket):
        yield from bucket.list("", ignored=True)
    else:
        assert isinstance(bucket, LocalBucket)
        yield from _every_file(bucket.root)


def _every_file(root: Path) -> Iterator[ObjectInfo]:
    def fail(error: OSError) -> None:
        raise BucketError(f"The landing folder {error.filename} cannot be listed: {error.strerror}.") from error

    for folder, _, names in os.walk(root, onerror=fail):
        for name in names:
            path = Path(folder, name)
            with contextlib.suppress(FileNotFoundError):  # removed since the folder was listed
                stat = path.lstat()
                modified = datetime.fromtimestamp(stat.st_mtime, UTC)
                yield ObjectInfo(path.relative_to(root).as_posix(), stat.st_size, modified)


def fetch_all(bucket: Bucket, infos: Iterable[ObjectInfo], max_bytes: int) -> Iterator[FetchedObject]:
    """The objects' contents, a share at a time, so that memory does not grow with the archive."""
    keys: list[str] = []
    size = 0
    for info in infos:
        if keys and (size + info.size > _CHUNK_BYTES or len(keys) == _CHUNK_OBJECTS):
            yield from bucket.fetch(keys, max_bytes)
            keys, size = [], 0
        keys.append(info.key)
        size += info.size
    if keys:
        yield from bucket.fetch(keys, max_bytes)


def replace(bucket: Bucket, fetched: FetchedObject, content: bytes) -> bool:
    """Replace the fetched content by a new one; False if the object has been replaced meanwhile."""
    for now in bucket.fetch([fetched.key], 0):
        if now.etag == fetched.etag:
            bucket.put(fetched.key, content)
            return True
    return False


def remove(bucket: Bucket, key: str) -> None:
    """Delete an object; a missing object is no error."""
    assert isinstance(bucket, (LocalBucket, S3Bucket))
    bucket.remove(key)


def server_time(bucket: Bucket) -> datetime | None:
    """The time of the bucket's server, taken from a small object written now. None for a local folder, whose times come
    from this machine.
    """
    if not isinstance(bucket, S3Bucket):
        return None
    bucket.put(_CLOCK, b"")
    times = [info.modified for info in bucket.list(f"{ARCHIVE_PREFIX}.clock/", ignored=True) if info.key == _CLOCK]
    bucket.remove(_CLOCK)
    return times[0].astimezone(UTC) if times else None
