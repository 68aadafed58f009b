"""A landing bucket on an S3-compatible server; endpoint and credentials come from the usual `AWS_*` variables.

Requests with transient errors are retried (`retrying.py`), a listing from the key where it broke off; refused
credentials are not retried. An object leaves its key only by a conditional delete, if the server supports it
(`conditional.py`).
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from ingestion.bucket.conditional import delete_if_match, knows_conditions
from ingestion.bucket.credentials import use_shared_credentials
from ingestion.bucket.objects import FetchedObject, ObjectInfo, ObjectReplaced, PassedOver, archive_key, is_ignored
from ingestion.bucket.plain_s3 import Listed, address_of, list_page
from ingestion.bucket.retrying import retrying
from ingestion.errors import BucketError, reason_of

if TYPE_CHECKING:
    from obstore import GetOptions

PAGE_OBJECTS = 1000  # the maximum page size of a server
PIECE_BYTES = 8 * 1024 * 1024  # bytes of an object that is not held whole
READ_TIMEOUT = timedelta(seconds=30)  # s without a byte
REQUEST_TIMEOUT = timedelta(hours=1)  # s for the largest object on the slowest link

# Permanent errors. All others are retried, even if some of them turn out to be permanent.
_LASTING = {
    "PermissionDeniedError",
    "UnauthenticatedError",
    "PreconditionError",
    "NotSupportedError",
    "InvalidPathError",
    "UnknownConfigurationKeyError",
}
# Not every error has a class of its own. 408 (timeout), 409 (conflict) and 429 (too many requests) are transient.
_REFUSED = re.compile(r"status code: 4(?!08|09|29)\d\d")

# Keys that the client does not accept as paths: with control characters, or with segments that are empty or dots.
_ODD_KEY = re.compile(r"[\x00-\x1f\x7f]|(?:^|/)\.{0,2}(?:/|$)")

Result = TypeVar("Result")


class S3Bucket:
    """The bucket of an `s3://bucket/prefix` URL."""

    concurrency = 32

    def __init__(self, url: str) -> None:
        # Imported here: a plant with a local folder does not need the client.
        from obstore.store import S3Store

        self.url = url
        self.passed_over: list[PassedOver] = []
        # whether the server supports conditional deletes; None: not tested yet
        self._knows_conditions: bool | None = None
        self._asking = threading.Lock()
        use_shared_credentials()
        parts = urlsplit(url)
        endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
        client: dict[str, Any] = {"timeout": REQUEST_TIMEOUT, "read_timeout": READ_TIMEOUT}
        options: dict[str, Any] = {"prefix": parts.path.strip("/") or None, "retry_config": {"max_retries": 0}}
        if endpoint:
            options |= {"endpoint": endpoint, "virtual_hosted_style_request": False}
            client["allow_http"] = endpoint.startswith("http://")
        try:
            self.store = S3Store(parts.netloc, client_options=client, **options)  # type: ignore[arg-type]
        except Exception as error:
            raise self._error("cannot be opened", error) from error

    def _error(self, what: str, error: Exception) -> BucketError:
        return BucketError(f"The landing bucket {self.url} {what}: {reason_of(error)[:300].rstrip('.')}.")

    def _ask(self, what: str, action: Callable[[], Result]) -> Result:
        """The server's answer. Raises FileNotFoundError for a missing object and BucketError for any other failure."""
        try:
            return retrying(action, _is_passing)
        except (FileNotFoundError, ObjectReplaced):
            raise
        except Exception as error:
            raise self._error(what, error) from error

    def list(self, prefix: str, ignored: bool = False) -> Iterator[ObjectInfo]:
        """Every object below a prefix, page by page; with `ignored`, also those that the contract ignores."""
        import obstore

        stream: Iterator[Sequence[Any]] | None = None
        last: str | None = None

        def next_page() -> Sequence[Any] | None:
            nonlocal stream
            if stream is None:
                stream = iter(obstore.list(self.store, prefix.rstrip("/"), offset=last, chunk_size=PAGE_OBJECTS))
            try:
                return next(stream, None)
            except Exception:
                stream = None  # restarts after the last key seen
                raise

        while True:
            try:
                page = self._ask("cannot be listed", next_page)
            except BucketError as error:
                if type(error.__cause__).__name__ != "InvalidPathError":
                    raise
                yield from self._list_plainly(prefix, last, ignored, error)
                return
            if not page:
                return
            last = page[-1]["path"]
            for meta in page:
                if ignored or not is_ignored(meta["path"]):
                    yield ObjectInfo(meta["path"], meta["size"], meta["last_modified"], _bare(meta["e_tag"]))

    def _list_plainly(self, prefix: str, last: str | None, ignored: bool, refused: BucketError) -> Iterator[ObjectInfo]:
        """List the rest with plain requests, because a key is no path for the client.

        Such keys are recorded as skipped.
        """
        parts = urlsplit(self.url)
        root = f"{parts.path.strip('/')}/".lstrip("/")
        address, after = address_of(parts.netloc), f"{root}{last}" if last else ""

        def next_page() -> Sequence[Listed]:
            return list_page(address, f"{root}{prefix.rstrip('/')}/", after)

        while True:
            try:
                page = self._ask("cannot be listed", next_page)
            except BucketError as error:  # credentials that only the client finds, or a server that works differently
                raise refused from error
            if not page:
                return
            if page[-1].key == after:  # from a server that returns the first page again and again
                raise refused
            after = page[-1].key
            for one in page:
                key = one.key.removeprefix(root)
                # A key that ends in a slash is a folder, as the web consoles of servers create them.
                if key.endswith("/") or (is_ignored(key) and not ignored):
                    continue
                if _ODD_KEY.search(key):
                    self.passed_over.append(PassedOver(key, "odd_key", one.size, one.modified))
                else:
                    yield ObjectInfo(key, one.size, one.modified, one.etag)

    def fetch(self, keys: Sequence[str], max_bytes: int | None = None) -> Iterator[FetchedObject]:
        """The objects' contents, fetched by several concurrent requests."""
        pool = ThreadPoolExecutor(self.concurrency, thread_name_prefix="fetch")
        try:
            for fetched in pool.map(lambda key: self._fetch_one(key, max_bytes), keys):
                if fetched is not None:
                    yield fetched
        finally:
            # After a failure the remaining requests are cancelled.
            pool.shutdown(cancel_futures=True)

    def _fetch_one(self, key: str, max_bytes: int | None) -> FetchedObject | None:
        import obstore

        def get() -> FetchedObject:
            result = obstore.get(self.store, key)
            size = result.meta["size"]
            content = bytes(result.bytes()) if max_bytes is None or size <= max_bytes else None
            if content is not None and len(content) != size:
                raise OSError(f"{len(content)} of its {size} bytes arrived")
            return FetchedObject(key, content, size, _bare(result.meta["e_tag"]) or _hash(content or b""))

        try:
            return self._ask(f"cannot give {key}", get)
        except FileNotFoundError:
            return None

    def pieces(self, fetched: FetchedObject) -> Iterator[bytes]:
        """The object's content in ranges, each requested on condition that the object is unchanged."""
        import obstore
        from obstore.exceptions import PreconditionError

        for start in range(0, fetched.size, PIECE_BYTES):
            end = min(start + PIECE_BYTES, fetched.size)

            def get(start: int = start, end: int = end) -> bytes:
                options: GetOptions = {"range": (start, end), "if_match": f'"{fetched.etag}"'}
                try:
                    result = obstore.get(self.store, fetched.key, options=options)
                except (PreconditionError, FileNotFoundError) as error:
                    raise ObjectReplaced(fetched.key) from error
                piece = bytes(result.bytes())
                if len(piece) != end - start:
                    raise OSError(f"{len(piece)} of {end - start} bytes arrived")
                if _bare(result.meta["e_tag"]) != fetched.etag:  # from a server that ignores the condition
                    raise ObjectReplaced(fetched.key)
                return piece

            yield self._ask(f"cannot give {fetched.key}", get)

    def recognise(self, info: ObjectInfo) -> FetchedObject | None:
        """Return the object with the listing's etag."""
        return FetchedObject(info.key, None, info.size, info.version) if info.version else None

    def archive(self, fetched: FetchedObject) -> bool:
        """Copy to the archive and delete, unless the key now holds another content.

        The archive always gets the content that was read. Only that content is deleted: if a camera replaces the object
        at that moment, the camera's new object stays.
        """
        what, kept = f"cannot archive {fetched.key}", archive_key(fetched.key, fetched.etag)
        try:
            if fetched.content is None and not self._is_unchanged(fetched, what):
                return False
            self._keep(fetched, kept, what)
            return self._delete(fetched, what)
        except FileNotFoundError:
            return False

    def _is_unchanged(self, fetched: FetchedObject, what: str) -> bool:
        import obstore

        return self._ask(what, lambda: _bare(obstore.head(self.store, fetched.key)["e_tag"])) == fetched.etag

    def _keep(self, fetched: FetchedObject, kept: str, what: str) -> None:
        import obstore

        content = fetched.content
        if content is not None:
            self._ask(what, lambda: obstore.put(self.store, kept, content, use_multipart=False))
            return
        try:  # an existing copy has this content, because its name contains the etag
            self._ask(what, lambda: obstore.head(self.store, kept))
        except FileNotFoundError:
            self._ask(what, lambda: obstore.copy(self.store, fetched.key, kept))
            if not self._is_unchanged(fetched, what):  # then the copy may hold the new content
                self._ask(what, lambda: obstore.delete(self.store, kept))
                raise FileNotFoundError(fetched.key) from None

    def _delete(self, fetched: FetchedObject, what: str) -> bool:
        import obstore

        with self._asking:
            if self._knows_conditions is None:
                self._knows_conditions = self._ask(what, lambda: knows_conditions(self.store))
        if self._knows_conditions:
            return self._ask(what, lambda: delete_if_match(self.store, fetched.key, fetched.etag))
        # Such a server leaves a moment between the last check and the delete; archiving by `keep` has no such moment.
        if not self._is_unchanged(fetched, what):
            return False
        self._ask(what, lambda: obstore.delete(self.store, fetched.key))
        return True

    def remove(self, key: str) -> None:
        """Delete an object; a missing object is no error."""
        import obstore

        with contextlib.suppress(FileNotFoundError):
            self._ask(f"cannot delete {key}", lambda: obstore.delete(self.store, key))

    def put_back(self) -> int:
        """Do nothing: on a server, an object stays at its key until its copy is complete."""
        return 0

    def put(self, key: str, content: bytes) -> None:
        """Write by one PUT: the server shows an object only when it is complete."""
        import obstore

        # No multipart upload: objects written here fit in one request.
        self._ask(f"cannot take {key}", lambda: obstore.put(self.store, key, content, use_multipart=False))


def _bare(etag: str | None) -> str:
    return (etag or "").strip('"')


def _hash(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def _is_passing(error: Exception) -> bool:
    is_refused = getattr(error, "code", 0) in (401, 403) or _REFUSED.search(str(error)) is not None
    is_lasting = isinstance(error, (FileNotFoundError, ObjectReplaced)) or type(error).__name__ in _LASTING
    return not (is_refused or is_lasting)
