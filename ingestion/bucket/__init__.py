"""The landing bucket, a local folder or an S3-compatible server: list, read, write and archive objects.

The only package that touches the bucket; other packages import from here. Knows nothing about the objects' content.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from ingestion.bucket.local import LocalBucket
from ingestion.bucket.objects import (
    ARCHIVE_PREFIX,
    Bucket,
    FetchedObject,
    ObjectInfo,
    ObjectReplaced,
    PassedOver,
    archive_key,
    is_ignored,
    is_still,
)
from ingestion.bucket.s3 import S3Bucket
from ingestion.settings import Settings

__all__ = [
    "ARCHIVE_PREFIX",
    "Bucket",
    "FetchedObject",
    "LocalBucket",
    "ObjectInfo",
    "ObjectReplaced",
    "PassedOver",
    "S3Bucket",
    "archive_key",
    "is_ignored",
    "is_still",
    "open_bucket",
    "open_landing_bucket",
]


def open_bucket(url: str, create: bool = False) -> Bucket:
    """The bucket of a `file:///…` or `s3://bucket/prefix` URL; with `create`, a local bucket's folders are created."""
    if url.startswith("file://"):
        return LocalBucket(Path(unquote(urlsplit(url).path)), create)
    return S3Bucket(url)


def open_landing_bucket(settings: Settings) -> Bucket:
    """The plant's bucket. A local bucket's folders are created only for a new plant.

    Once a warehouse exists, a missing folder means an unmounted share, not an empty bucket.
    """
    return open_bucket(settings.landing_url, create=not settings.warehouse_path.exists())
