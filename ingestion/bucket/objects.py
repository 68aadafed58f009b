"""What both kinds of bucket have in common: an object's identity, which keys are ignored, where the archive keeps it.

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
    """One object as the listing shows it: key relative to the bucket's root, size in bytes, last change (UTC).

    `version` changes whenever the content may have changed: the server's etag, or a file's inode, size and times.
    """

    key: str
    size: int
    modified: datetime
    version: str = ""


NAME_NOT_READ = "name"


class PassedOver(NamedTuple):
    """What lies in the bucket and is not read, and why: `link`, `other_owner` (a hard link), `no_right`, `no_file`,
    `odd_key` or `name`. Size in bytes and last change (UTC) where they are known.
    """

    key: str
    reason: str
    size: int | None = None
    modified: datetime | None = None


class FetchedObject(NamedTuple):
    """One object's content with the identity it had when it was read.

    `version` is the listing's, or empty where an equal one might hide another content. `identity` tells a local folder
    at archiving whether the key still holds this content: (inode, size, mtime in ns).
    """

    key: str
    content: bytes | None  # None: larger than what may be read, or not read at all
    size: int
    etag: str
    version: str = ""
    identity: tuple[int, int, int] | None = None

    def light(self) -> FetchedObject:
        """The object without its content where it is a file's, which archiving renames and does not write."""
        return self if self.identity is None or self.content is None else self._replace(content=None)


class ObjectReplaced(Exception):
    """An object is no longer what it was; the text says which."""


class Bucket(Protocol):
    """What landing needs of a bucket. Every method raises `BucketError` with one sentence when it cannot."""

    concurrency: int  # requests that are worth having under way at once
    passed_over: list[PassedOver]  # what was left out of what was listed or fetched, perhaps more than once

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Every object below a prefix, in no particular order, without the ignored ones, a page at a time."""

    def fetch(self, keys: Sequence[str], max_bytes: int | None = None) -> Iterator[FetchedObject]:
        """The objects of these keys that exist and may be read, in order; without content above `max_bytes`."""

    def pieces(self, fetched: FetchedObject) -> Iterator[bytes]:
        """The content of an object that was fetched without it, in pieces of some megabytes.

        Raises:
            ObjectReplaced: its key holds another content by now, or none; what was given is not to be used.
        """

    def recognise(self, info: ObjectInfo) -> FetchedObject | None:
        """The listed object without its content, where the listing alone says its etag; else None."""

    def archive(self, fetched: FetchedObject) -> bool:
        """Move an object below `archive/`; False where its key holds another content by now, which stays.

        Several threads may archive at once.
        """

    def put_back(self) -> int:
        """Undo what an archiving that was cut off left undecided; gives the objects that are at their keys again."""

    def put(self, key: str, content: bytes) -> None:
        """Write a whole object. It appears whole, and it is durable when this returns."""


def is_ignored(key: str) -> bool:
    """Whether the contract ignores a key: hidden segments, and the names of objects still being written."""
    return key.endswith(UNFINISHED) or key.startswith(HIDDEN) or any(start in key for start in _HIDDEN_SEGMENTS)


def is_still(info: ObjectInfo, now: datetime, still_seconds: float) -> bool:
    """Whether an object has been left alone for so long.

    One from the future is judged by its distance too: a clock that was put back must not hold up what was written
    before, for as long as the clock needs to get there again.
    """
    return not still_seconds or abs((now - info.modified).total_seconds()) >= still_seconds


def archive_key(key: str, etag: str) -> str:
    """Where an object is kept: the content's etag in the name, so that two contents of a key keep two copies.

    A name that would become too long for a file is cut, and then holds a hash of the whole key as well.
    """
    folder, _, name = key.rpartition("/")
    stem, dot, endings = name.partition(".")
    kept = f"{stem}.{etag[:16]}{dot}{endings}"
    if len(kept.encode("utf-8", "surrogateescape")) > MAX_NAME_BYTES:
        whole = hashlib.blake2b(key.encode("utf-8", "surrogateescape"), digest_size=8).hexdigest()
        kept = f"{name[:40]}~{whole}.{etag[:16]}.{'.'.join(name.split('.')[-2:])[-20:]}"
    return f"{ARCHIVE_PREFIX}{folder}/{kept}"
