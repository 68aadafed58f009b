"""The landing bucket, a local folder or an S3-compatible server: list, read, write and archive objects.

The only module that touches the bucket. What an object's content means is not known here.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from ingestion.errors import BucketError
from ingestion.settings import Settings

ARCHIVE_PREFIX = "archive/"
CONCURRENT_REQUESTS = 32

HIDDEN = (".", "_")
UNFINISHED = (".tmp", ".part")


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """One object as the listing shows it: key relative to the bucket's root, size in bytes, last change (UTC)."""

    key: str
    size: int
    modified: datetime


@dataclass(frozen=True, slots=True)
class FetchedObject:
    """One object's content with the identity it had when it was read."""

    key: str
    content: bytes | None  # None: larger than what may be read
    size: int
    etag: str
    # Tells at archiving whether the key still holds this content: (inode, size, mtime in ns) in a local folder.
    identity: tuple[int, int, int] | None = None


class Bucket(Protocol):
    """What landing needs of a bucket. Every method raises `BucketError` with one sentence when it cannot."""

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Every object below a prefix, in no particular order, without the ignored ones."""

    def fetch(self, keys: Sequence[str], max_bytes: int | None = None) -> Iterator[FetchedObject]:
        """The objects of these keys that still exist, in the order given; without content above `max_bytes`."""

    def archive(self, fetched: FetchedObject) -> bool:
        """Move an object below `archive/`; False where its key holds another content by now, which stays."""

    def put(self, key: str, content: bytes) -> None:
        """Write a whole object. It appears whole, and it is durable when this returns."""


def open_bucket(url: str, create: bool = False) -> Bucket:
    """The bucket of a `file:///…` or `s3://bucket/prefix` URL; with `create`, a local one's folders are made."""
    if url.startswith("file://"):
        return LocalBucket(Path(unquote(urlsplit(url).path)), create)
    return S3Bucket(url)


def open_landing_bucket(settings: Settings) -> Bucket:
    """The plant's bucket. A local one's folders are made for a new plant only.

    Once there is a warehouse, a folder that is missing is a share that is not mounted, and not a bucket without news.
    """
    return open_bucket(settings.landing_url, create=not settings.warehouse_path.exists())


def is_ignored(key: str) -> bool:
    """Whether the contract ignores a key: hidden segments, and the names of objects still being written."""
    return key.endswith(UNFINISHED) or any(segment.startswith(HIDDEN) for segment in key.split("/"))


def archive_key(key: str, etag: str) -> str:
    """Where an object is kept: the content's etag in the name, so that two contents of a key keep two copies."""
    folder, _, name = key.rpartition("/")
    stem, dot, endings = name.partition(".")
    return f"{ARCHIVE_PREFIX}{folder}/{stem}.{etag[:16]}{dot}{endings}"


class LocalBucket:
    """A folder. Plain file calls: for many small files they cost a tenth of what an object-store client does."""

    def __init__(self, root: Path, create: bool = False) -> None:
        self.root = root
        self._durable_folders: set[Path] = set()
        try:
            for prefix in ("events", "labels", "registry") if create else ():
                (root / prefix).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BucketError(f"The landing folder {root} cannot be used: {error.strerror}.") from error

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Every file below a prefix; a folder that cannot be read is an error, never "nothing there"."""
        folder = prefix.rstrip("/")
        try:
            if not (self.root / "events").is_dir():
                raise BucketError(
                    f"The landing folder {self.root} has no folder events; is it mounted? "
                    "For a new one, make that folder."
                )
            if (self.root / folder).exists():
                yield from self._walk(folder)
        except OSError as error:
            raise BucketError(
                f"The landing folder {self.root / prefix} cannot be listed: {error.strerror or error}."
            ) from error

    def _walk(self, folder: str) -> Iterator[ObjectInfo]:
        with os.scandir(self.root / folder) as entries:
            for entry in entries:
                key = f"{folder}/{entry.name}"
                if entry.is_dir():
                    if not entry.name.startswith(HIDDEN):
                        yield from self._walk(key)
                elif entry.is_file() and not is_ignored(entry.name):
                    try:
                        stat = entry.stat()
                    except FileNotFoundError:  # taken away since the folder was read
                        continue
                    yield ObjectInfo(key, stat.st_size, datetime.fromtimestamp(stat.st_mtime, UTC))

    def fetch(self, keys: Sequence[str], max_bytes: int | None = None) -> Iterator[FetchedObject]:
        """The files' contents; one that is gone by now is left out."""
        for key in keys:
            content = None
            try:
                with open(self.root / key, "rb") as file:
                    if max_bytes is None or os.fstat(file.fileno()).st_size <= max_bytes:
                        content = file.read()
                        etag = _etag(content)
                    else:
                        etag = hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
                    stat = os.fstat(file.fileno())
            except FileNotFoundError:
                continue
            except OSError as error:
                raise BucketError(f"{self.root / key} cannot be read: {error.strerror}.") from error
            size = stat.st_size if content is None else len(content)
            yield FetchedObject(key, content, size, etag, (stat.st_ino, stat.st_size, stat.st_mtime_ns))

    def archive(self, fetched: FetchedObject) -> bool:
        """Rename the file into the archive, and back if another one had taken its name since it was read."""
        source, target = self.root / fetched.key, self.root / archive_key(fetched.key, fetched.etag)
        aside = target.with_name(f"_{target.name}.{os.getpid()}.part")
        try:
            if _identity(source) != fetched.identity:
                return False
            target.parent.mkdir(parents=True, exist_ok=True)
            source.rename(aside)
            if _identity(aside) == fetched.identity:
                aside.rename(target)
                return True
            os.link(aside, source)  # fails where a third content has come by now, and then `aside` keeps the second
            aside.unlink()
        except FileNotFoundError:
            return False
        except OSError as error:
            raise BucketError(f"{source} cannot be moved to {target}: {error.strerror}.") from error
        return False

    def put(self, key: str, content: bytes) -> None:
        """Write under a name that is ignored, then rename; file and name are on the disk when this returns."""
        target = self.root / key
        aside = target.with_name(f"_{target.name}.{os.getpid()}.part")
        try:
            self._make_folder(target.parent)
            with open(aside, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            aside.rename(target)
            _sync_folder(target.parent)
        except OSError as error:
            with contextlib.suppress(OSError):
                aside.unlink(missing_ok=True)
            raise BucketError(f"{target} cannot be written: {error.strerror or error}.") from error

    def _make_folder(self, folder: Path) -> None:
        """Make a folder that outlives a power loss: its name and its parents' are on the disk, whoever made them."""
        if folder in self._durable_folders and folder.is_dir():
            return
        folder.mkdir(parents=True, exist_ok=True)
        for parent in folder.relative_to(self.root).parents:
            _sync_folder(self.root / parent)
        _sync_folder(self.root.parent)
        self._durable_folders.add(folder)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _etag(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def _identity(path: Path) -> tuple[int, int, int]:
    stat = path.stat()
    return (stat.st_ino, stat.st_size, stat.st_mtime_ns)


class S3Bucket:
    """A bucket of an S3-compatible server; endpoint and credentials by the usual `AWS_*` variables."""

    def __init__(self, url: str) -> None:
        # Imported here: a plant with a local folder never pays for the client.
        from obstore.store import S3Store

        self.url = url
        parts = urlsplit(url)
        endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
        options: dict[str, Any] = {"prefix": parts.path.strip("/") or None}
        if endpoint:
            options |= {"endpoint": endpoint, "virtual_hosted_style_request": False}
            options |= {"client_options": {"allow_http": endpoint.startswith("http://")}}
        try:
            self.store = S3Store(parts.netloc, **options)
        except Exception as error:
            raise self._error("cannot be opened", error) from error

    def _error(self, what: str, error: Exception) -> BucketError:
        # The client's text ends in its own inner structure and in the server's XML, which say nothing more.
        reason = " ".join(str(error).split()).partition(" Debug source:")[0].partition(": <?xml")[0]
        return BucketError(f"The landing bucket {self.url} {what}: {reason[:300].rstrip('.')}.")

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Every object below a prefix, a page at a time."""
        import obstore

        try:
            for page in obstore.list(self.store, prefix=prefix.rstrip("/"), chunk_size=1000):
                for meta in page:
                    if not is_ignored(meta["path"]):
                        yield ObjectInfo(meta["path"], meta["size"], meta["last_modified"])
        except Exception as error:
            raise self._error("cannot be listed", error) from error

    def fetch(self, keys: Sequence[str], max_bytes: int | None = None) -> Iterator[FetchedObject]:
        """The objects' contents, several requests at a time."""
        with ThreadPoolExecutor(CONCURRENT_REQUESTS) as pool:
            for fetched in pool.map(lambda key: self._fetch_one(key, max_bytes), keys):
                if fetched is not None:
                    yield fetched

    def _fetch_one(self, key: str, max_bytes: int | None) -> FetchedObject | None:
        import obstore

        try:
            result = obstore.get(self.store, key)
            size = result.meta["size"]
            content = bytes(result.bytes()) if max_bytes is None or size <= max_bytes else None
            etag = (result.meta["e_tag"] or "").strip('"') or _etag(content or b"")
        except FileNotFoundError:
            return None
        except Exception as error:
            raise self._error(f"cannot give {key}", error) from error
        return FetchedObject(key, content, size, etag)

    def archive(self, fetched: FetchedObject) -> bool:
        """Copy to the archive and delete, unless the key holds another content by now."""
        import obstore

        try:
            if (obstore.head(self.store, fetched.key)["e_tag"] or "").strip('"') != fetched.etag:
                return False
            kept = archive_key(fetched.key, fetched.etag)
            if fetched.content is None:
                obstore.copy(self.store, fetched.key, kept)
            else:  # what was read is what is kept, whatever the key holds by now
                obstore.put(self.store, kept, fetched.content)
            if (obstore.head(self.store, fetched.key)["e_tag"] or "").strip('"') != fetched.etag:
                return False
            obstore.delete(self.store, fetched.key)
        except FileNotFoundError:
            return False
        except Exception as error:
            raise self._error(f"cannot archive {fetched.key}", error) from error
        return True

    def put(self, key: str, content: bytes) -> None:
        """One PUT: the server shows an object only when it holds all of it."""
        import obstore

        try:
            # A multipart upload is several requests; an object of the sizes written here needs one.
            obstore.put(self.store, key, content, use_multipart=False)
        except Exception as error:
            raise self._error(f"cannot take {key}", error) from error
