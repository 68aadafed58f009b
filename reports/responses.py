"""The answer to a GET of the report: a function of the site's folder and the request, without a socket.

Nothing here reads marts or knows what a page shows.
"""

import errno
import gzip
import mimetypes
import os
import posixpath
import re
import stat
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from reports.content_security import FRAMES, POLICY, policy_in
from reports.metrics_names import file_of_address

# Below these folders a missing file is an error; elsewhere it may be a page's address.
_FILE_FOLDERS = ("data", "_app", "api", "checks")
# Files named after their content. Files below data/ are about persons, so only the reader's own browser may cache them.
_FOR_EVER = "max-age=31536000, immutable"
_DATA_PART = re.compile(r"data/[0-9a-f]{16}/")
_SHELL_PART = "_app/immutable/"
_RANGE = re.compile(r"bytes=(\d*)-(\d*)$")
_TYPES = {".parquet": "application/vnd.apache.parquet", ".wasm": "application/wasm", ".js": "text/javascript"}
# compressed when the data is written; the shell has its own compressed copies
_COMPRESSED_HERE = {"application/json", "text/html"}
_MAX_COMPRESSED_HERE = 1 << 20
_GONE = {errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.ELOOP, errno.ENXIO}  # also if it has become a link
_HEAD_BYTES = 1 << 16  # a page's policy is at its start

_HEADERS = {
    "Content-Security-Policy": f"{POLICY}; {FRAMES}",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@dataclass(frozen=True)
class Answer:
    """A status, headers, and either the part of a file to send (`length` bytes from `start` on) or `content`."""

    status: HTTPStatus
    headers: Mapping[str, str]
    file: Path | None = None
    start: int = 0
    length: int = 0
    content: bytes | None = None


MISSING = Answer(HTTPStatus.NOT_FOUND, {**_HEADERS, "Cache-Control": "no-store"})


def answer_for(site: Path, target: str, headers: Mapping[str, str]) -> Answer:
    """What to answer to a GET of `target` (path and query as sent) with these request headers (any letter case)."""
    path = urlsplit("/" + target.lstrip("/")).path
    name = file_of_address(path) or posixpath.normpath("/" + unquote(path)).lstrip("/")
    asked = {key.lower(): value for key, value in headers.items()}
    file = _file_named(site, name)
    if file is None:
        first, _, _ = name.partition("/")
        may_be_page = not posixpath.splitext(name)[1] or "text/html" in asked.get("accept", "")
        if first in _FILE_FOLDERS or not may_be_page:
            return MISSING
        name, file = "index.html", _file_named(site, "index.html")
        if file is None:
            return MISSING
    return _answer_with_file(file, name, asked)


def open_below(site: Path, file: Path) -> BinaryIO | None:
    """A regular file below the site, whose path has no links; None if it no longer exists.

    Each folder is opened relative to the previous one, so that nobody who can write there can redirect the path.
    """
    folder = os.open(site.resolve(), os.O_RDONLY | os.O_DIRECTORY)
    try:
        *folders, name = file.relative_to(site.resolve()).parts
        for part in folders:
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
            os.close(folder)
            folder = inner
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    except ValueError:
        return None
    except OSError as error:
        if error.errno in _GONE:
            return None
        raise
    finally:
        os.close(folder)
    opened = os.fdopen(descriptor, "rb")
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return opened
    opened.close()
    return None


def _file_named(site: Path, name: str) -> Path | None:
    """The file of that name with links resolved, or None; hidden names and links out of the site give None."""
    if "\0" in name or any(part.startswith(".") for part in name.split("/")):
        return None
    root = site.resolve()
    try:
        file = (root / name).resolve()
        return file if file.is_file() and file.is_relative_to(root) else None
    except OSError:  # a name longer than the file system allows
        return None


def _answer_with_file(file: Path, name: str, asked: Mapping[str, str]) -> Answer:
    suffix = posixpath.splitext(name)[1]
    content_type = _TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    sent = {**_HEADERS, "Content-Type": content_type, "Cache-Control": _cache_rule(name), "Accept-Ranges": "bytes"}
    takes_gzip = "range" not in asked and bool(
        re.search(r"\bgzip\b(?!\s*;\s*q=0(\.0*)?\b)", asked.get("accept-encoding", ""))
    )
    twin = file.with_name(file.name + ".gz")
    has_twin = _is_plain_file(twin)
    if has_twin and takes_gzip:
        file, sent["Content-Encoding"] = twin, "gzip"
    state = file.stat()
    size = state.st_size
    tag = f"{state.st_mtime_ns:x}-{size:x}"
    content = None
    if not has_twin and content_type in _COMPRESSED_HERE and size <= _MAX_COMPRESSED_HERE:
        has_twin = True
        if takes_gzip:
            content, sent["Content-Encoding"], tag = _compressed(file, tag), "gzip", f"{tag}-gzip"
            size = len(content)
    if has_twin:
        sent["Vary"] = "Accept-Encoding"
    sent["ETag"] = f'"{tag}"'
    if content_type == "text/html":
        sent["Content-Security-Policy"] = f"{_policy_of(file, content) or POLICY}; {FRAMES}"
    if _names(asked.get("if-none-match", ""), sent["ETag"]):
        return Answer(HTTPStatus.NOT_MODIFIED, sent)
    if content is not None:
        return Answer(HTTPStatus.OK, sent, None, 0, size, content)
    wanted = _RANGE.match(asked.get("range", ""))
    if wanted and wanted.group() != "bytes=-" and asked.get("if-range", sent["ETag"]) == sent["ETag"]:
        first, last = wanted.groups()
        start = int(first) if first else max(size - int(last), 0)
        end = min(int(last), size - 1) if first and last else size - 1
        if start >= size or end < start:
            return Answer(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, {**sent, "Content-Range": f"bytes */{size}"})
        sent["Content-Range"] = f"bytes {start}-{end}/{size}"
        return Answer(HTTPStatus.PARTIAL_CONTENT, sent, file, start, end - start + 1)
    return Answer(HTTPStatus.OK, sent, file, 0, size)


def _cache_rule(name: str) -> str:
    if name == "data/manifest.json":
        return "no-store"  # names the newest data; every other file of data/ never changes
    if name.startswith(_SHELL_PART):
        return f"public, {_FOR_EVER}"
    if _DATA_PART.match(name):
        return f"private, {_FOR_EVER}"
    return "private, no-cache" if name.partition("/")[0] in _FILE_FOLDERS else "no-cache"


def _names(condition: str, tag: str) -> bool:
    """Whether `If-None-Match` names this version, including as a weak etag."""
    given = {part.strip().removeprefix("W/") for part in condition.split(",")}
    return tag in given or "*" in given


def _is_plain_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


@lru_cache(maxsize=64)
def _compressed(file: Path, tag: str) -> bytes:  # noqa: ARG001  # the tag changes when the file does
    return gzip.compress(file.read_bytes(), 6, mtime=0)


def _policy_of(file: Path, compressed: bytes | None) -> str | None:
    """The policy inside the bytes that are sent, because the page may be replaced while it is served."""
    with file.open("rb") as opened:
        start = compressed[:_HEAD_BYTES] if compressed else opened.read(_HEAD_BYTES)
    if start[:2] == b"\x1f\x8b":
        start = zlib.decompressobj(wbits=31).decompress(start, _HEAD_BYTES)
    return policy_in(start.decode("utf-8", errors="replace"))
