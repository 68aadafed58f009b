"""Shared by both kinds of bucket: an object's identity, ignored keys, and places in the archive.

Nothing here touches a disk or a server.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

ARCHIVE_PREFIX = "archive/"
MAX_NAME_BYTES = 255  # of a file; also keeps an S3 key of ordinary depth within its 1024

HIDDEN = (".", "_")
_HIDDEN_SEGMENTS = tuple(f"/{start}" for start in HIDDEN)
UNFINISHED = (".tmp", ".part")


class ObjectInfo(NamedTuple):
    """One object in the listing: its key relative to the bucket's root, its size in bytes and its last change (UTC).

    `version` changes whenever the content may have changed: the server's etag, or a file's inode, size and times.
    """

    key: str
    size: int
    modified: datetime
    version: str = ""


NAME_NOT_READ = "name"


class PassedOver(NamedTuple):
    """An entry of the bucket that is not read, and the reason: `link`, `other_owner` (a hard link), `no_right`,
    `no_file`, `odd_key` or `name`. Size in bytes and last change (UTC) are given if known.
    """

    key: str
    reason: str
    size: int | None = None
    modified: datetime | None = None


class FetchedObject(NamedTuple):
    """One object's content and its identity at the time of reading.

    `version` is the listing's, or empty if two contents might share it. `identity` (inode, size, mtime in ns) lets a
    local folder check at archiving whether the key still holds this content.
    """

    key: str
    content: bytes | None  # None: above the size limit, or not read
    size: int
    etag: str
    version: str = ""
    identity: tuple[int, int, int] | None = None

    def light(self) -> FetchedObject:
        """The object without its content if it is a file, because archiving only renames files."""
        return self if self.identity is None or self.content is None else self._replace(content=None)


class ObjectReplaced(Exception):
    """An object has been replaced; the message names it."""


class Bucket(Protocol):
    """The operations that landing needs. Every method raises `BucketError` with a one-sentence message on failure."""

    concurrency: int  # useful number of concurrent requests
    passed_over: list[PassedOver]  # entries left out of a listing or fetch, possibly repeated

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Every object below a prefix except ignored ones, unordered, fetched page by page."""

    def fetch(self, keys: Sequence[str], max_bytes: int | None = None) -> Iterator[FetchedObject]:
        """The objects of these keys that exist and may be read, in order.

        Objects above `max_bytes` come without content.
        """

    def pieces(self, fetched: FetchedObject) -> Iterator[bytes]:
        """The content of an object that was fetched without it, in pieces of some megabytes.

        Raises:
            ObjectReplaced: its key now holds another content or none; discard the pieces returned so far.
        """

    def recognise(self, info: ObjectInfo) -> FetchedObject | None:
        """The listed object without its content if the listing alone gives its etag; else None."""

    def archive(self, fetched: FetchedObject) -> bool:
        """Move an object below `archive/`; False if its key now holds another content, which stays.

        Several threads may archive at once.
        """

    def put_back(self) -> int:
        """Undo interrupted archiving; return the number of objects that are back at their keys."""

    def put(self, key: str, content: bytes) -> None:
        """Write an object. It appears as a whole and is durable when this returns."""


def is_ignored(key: str) -> bool:
    """Whether the contract ignores a key: it has a hidden segment, or names an object still being written."""
    return key.endswith(UNFINISHED) or key.startswith(HIDDEN) or any(start in key for start in _HIDDEN_SEGMENTS)


def is_still(info: ObjectInfo, now: datetime, still_seconds: float) -> bool:
    """Whether an object has been unchanged for that long.

    A time in the future is judged by its distance too: after a clock was set back, objects written before must not wait
    until the clock reaches that time again.
    """
    return not still_seconds or abs((now - info.modified).total_seconds()) >= still_seconds


def archive_key(key: str, etag: str) -> str:
    """The archive's place for an object. Its name contains the etag, so that two contents of a key keep two copies.

    A name that would be too long for a file is cut and then contains a hash of the whole key.
    """
    folder, _, name = key.rpartition("/")
    stem, dot, endings = name.partition(".")
    kept = f"{stem}.{etag[:16]}{dot}{endings}"
    if len(kept.encode("utf-8", "surrogateescape")) > MAX_NAME_BYTES:
        whole = hashlib.blake2b(key.encode("utf-8", "surrogateescape"), digest_size=8).hexdigest()
        kept = f"{name[:40]}~{whole}.{etag[:16]}.{'.'.join(name.split('.')[-2:])[-20:]}"
    return f"{ARCHIVE_PREFIX}{folder}/{kept}"
