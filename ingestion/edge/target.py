"""The targets of uploads, a local folder or an S3-compatible server: one write for each object, without retries.

When `put` returns, the target has the object durably. When it raises, the target has all of the object or nothing.
"""

from __future__ import annotations

import os
import re
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from ingestion.edge import disk
from ingestion.edge.errors import UploadError
from ingestion.errors import SettingsError, reason_of

CONNECT_SECONDS = 10
COPY_BYTES = 1_048_576
_DURATION = re.compile(" in [0-9.]+(?:ns|µs|ms|s)")


class Target(Protocol):
    """The operations that the uploader needs."""

    def put(self, key: str, path: Path) -> None:
        """Write a file's content under a key, replacing what is there.

        Raises:
            UploadError: the target did not take the object; the sentence says why.
            FileNotFoundError: the file no longer exists.
        """


def open_target(url: str, request_timeout_seconds: float) -> Target:
    """The target of a `file:///folder` or `s3://bucket/prefix` URL, without a request to it."""
    if url.startswith("file://"):
        return FolderTarget(Path(unquote(urlsplit(url).path)))
    return S3Target(url, request_timeout_seconds)


class FolderTarget:
    """A landing bucket in a folder, often on a share: temporary name, fsync, rename, fsync of the folder.

    No other process uses the temporary name: no other spool has the key, and a spool has one uploader.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, key: str, path: Path) -> None:
        """Write one object."""
        target = self.root / key
        with open(path, "rb") as source:
            # The mount point of a share that is not mounted is an empty folder. An object written there would be hidden
            # once the share is mounted, and gone from the spool. Landing makes events/ in every bucket that it opens.
            if not (self.root / "events").is_dir():
                raise UploadError(
                    f"The target folder {self.root} has no folder events/: it is no landing bucket, "
                    "or its share is not mounted."
                )
            try:
                disk.make_folder(target.parent)
                disk.replace_file(target, iter(lambda: source.read(COPY_BYTES), b""))
            except OSError as error:
                raise UploadError(f"The target folder cannot take {target}: {error.strerror or error}.") from error


class S3Target:
    """A bucket of an S3-compatible server. The usual `AWS_*` variables give endpoint and credentials."""

    def __init__(self, url: str, request_timeout_seconds: float) -> None:
        # Imported here: a gateway that writes to a folder needs only Python.
        try:
            from obstore.store import S3Store
        except ImportError as error:
            raise SettingsError(f"The target {url} needs the package obstore, which is not installed.") from error

        self.url = url
        parts = urlsplit(url)
        endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
        client: Any = {
            "timeout": timedelta(seconds=request_timeout_seconds),
            "connect_timeout": timedelta(seconds=min(CONNECT_SECONDS, request_timeout_seconds)),
        }
        # Only the uploader retries.
        options: dict[str, Any] = {"prefix": parts.path.strip("/") or None, "retry_config": {"max_retries": 0}}
        if endpoint:
            options |= {"endpoint": endpoint, "virtual_hosted_style_request": False}
            client["allow_http"] = endpoint.startswith("http://")
        try:
            self.store = S3Store(parts.netloc, client_options=client, **options)
        except Exception as error:
            raise SettingsError(str(self._error("cannot be opened", error))) from error

    def put(self, key: str, path: Path) -> None:
        """Write one object with a single PUT, so that its etag is the hash of its content, equal for every attempt."""
        import obstore

        with open(path, "rb") as source:
            content = source.read()
        try:
            obstore.put(self.store, key, content, use_multipart=False)
        except Exception as error:
            raise self._error(f"did not take {key}", error) from error

    def _error(self, what: str, error: Exception) -> UploadError:
        # The duration would make each repetition of a failure a new one, and each would be logged.
        reason = _DURATION.sub("", reason_of(error))
        return UploadError(f"The target {self.url} {what}: {reason[:300].rstrip('.')}.")
