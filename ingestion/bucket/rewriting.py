"""What else is asked of a bucket beside landing's calls: every object, a new content for one, none for one, its time.

Landing never comes here. What an object's content means is not known here.
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
    """All objects, also those that landing ignores: hidden ones, unfinished ones, ones outside of its prefixes."""
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
            with contextlib.suppress(FileNotFoundError):  # taken away since the folder was read
                stat = path.lstat()
                modified = datetime.fromtimestamp(stat.st_mtime, UTC)
                yield ObjectInfo(path.relative_to(root).as_posix(), stat.st_size, modified)


def fetch_all(bucket: Bucket, infos: Iterable[ObjectInfo], max_bytes: int) -> Iterator[FetchedObject]:
    """The objects' contents, a share at a time, so that an archive of any size passes through."""
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
    """Put a new content in the place of the one that was fetched; False where another one has come by now."""
    for now in bucket.fetch([fetched.key], 0):
        if now.etag == fetched.etag:
            bucket.put(fetched.key, content)
            return True
    return False


def remove(bucket: Bucket, key: str) -> None:
    """Delete an object; one that is gone already is no error."""
    assert isinstance(bucket, (LocalBucket, S3Bucket))
    bucket.remove(key)


def server_time(bucket: Bucket) -> datetime | None:
    """The time by the clock of the bucket's server: that of a small object written now. None of a local folder, whose
    times are this machine's own.
    """
    if not isinstance(bucket, S3Bucket):
        return None
    bucket.put(_CLOCK, b"")
    times = [info.modified for info in bucket.list(f"{ARCHIVE_PREFIX}.clock/", ignored=True) if info.key == _CLOCK]
    bucket.remove(_CLOCK)
    return times[0].astimezone(UTC) if times else None
