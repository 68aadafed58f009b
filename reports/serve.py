"""Serving the static site on loopback: `python -m reports.serve [--port 8080] [--host 127.0.0.1]`.

What is answered is decided by `answer_for`, a function of the folder and the request; the handler only speaks HTTP.
Nothing here reads marts or knows what a page shows.
"""

import argparse
import mimetypes
import os
import posixpath
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from ingestion.errors import FloorhouseError, ReportError
from ingestion.settings import read_settings
from reports.metrics_names import file_of_address

# Below these a missing file is missing; elsewhere it may be a page's address.
_FILE_FOLDERS = ("data", "_app", "api", "checks")
_IMMUTABLE = re.compile(r"(_app/immutable|data/[0-9a-f]{16})/")
_RANGE = re.compile(r"bytes=(\d*)-(\d*)$")
_CHUNK_BYTES = 1 << 18
_TYPES = {".parquet": "application/vnd.apache.parquet", ".wasm": "application/wasm", ".js": "text/javascript"}

# The browser itself refuses what would leave this server. The engine compiles WebAssembly and its workers use eval.
_SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; "
    "script-src 'self' 'unsafe-inline' 'unsafe-eval' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; worker-src 'self' blob:; "
    "frame-ancestors 'self'; form-action 'none'; base-uri 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


@dataclass(frozen=True)
class Answer:
    """A status, headers, and the part of a file to send: `length` bytes from `start` on."""

    status: HTTPStatus
    headers: Mapping[str, str]
    file: Path | None = None
    start: int = 0
    length: int = 0


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
            return Answer(HTTPStatus.NOT_FOUND, {"Cache-Control": "no-store"})
        name, file = "index.html", _file_named(site, "index.html")
        if file is None:
            return Answer(HTTPStatus.NOT_FOUND, {"Cache-Control": "no-store"})
    return _answer_with_file(file, name, asked)


def _file_named(site: Path, name: str) -> Path | None:
    """The file of that name below the site, or None: hidden names and links that lead outside are no files."""
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
    sent = {"Content-Type": content_type, "Cache-Control": _cache_rule(name), "Accept-Ranges": "bytes"}
    compressed = file.with_name(file.name + ".gz")
    if compressed.is_file():
        sent["Vary"] = "Accept-Encoding"
        if "range" not in asked and re.search(r"\bgzip\b(?!\s*;\s*q=0(\.0*)?\b)", asked.get("accept-encoding", "")):
            file, sent["Content-Encoding"] = compressed, "gzip"
    state = file.stat()
    size = state.st_size
    sent["ETag"] = f'"{state.st_mtime_ns:x}-{size:x}"'
    if sent["ETag"] in asked.get("if-none-match", ""):
        return Answer(HTTPStatus.NOT_MODIFIED, sent)
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
    return "public, max-age=31536000, immutable" if _IMMUTABLE.match(name) else "no-cache"


class SiteServer(ThreadingHTTPServer):
    """A server of one folder, a thread for each connection."""

    daemon_threads = True

    def __init__(self, site: Path, host: str, port: int) -> None:
        self.site = site
        super().__init__((host, port), _Handler)

    @property
    def address(self) -> str:
        """What a person types to open the report."""
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}/"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "Floorhouse"
    sys_version = ""
    server: SiteServer
    timeout = 60

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def _answer(self, *, with_body: bool) -> None:
        try:
            answer = answer_for(self.server.site, self.path, dict(self.headers.items()))
            source = answer.file.open("rb") if answer.file else None
        except (OSError, ValueError):  # removed between looking and opening, or an address that is none
            answer, source = Answer(HTTPStatus.NOT_FOUND, {"Cache-Control": "no-store"}), None
        try:
            self.send_response(answer.status)
            for key, value in {**answer.headers, **_SECURITY_HEADERS}.items():
                self.send_header(key, value)
            if answer.status != HTTPStatus.NOT_MODIFIED:
                self.send_header("Content-Length", str(answer.length))
            self.end_headers()
            if with_body and source:
                self._send(source, answer)
        except (BrokenPipeError, ConnectionResetError, TimeoutError):
            self.close_connection = True  # the reader left; nothing to tell anybody
        finally:
            if source:
                source.close()

    def _send(self, source: BinaryIO, answer: Answer) -> None:
        source.seek(answer.start)
        left = answer.length
        while left and (chunk := source.read(min(left, _CHUNK_BYTES))):
            self.wfile.write(chunk)
            left -= len(chunk)
        self.close_connection = self.close_connection or bool(left)  # a file cut short must not look complete

    def log_message(self, *_: object) -> None:
        """A line per request would bury the address that a person looks for."""


def open_server(site: Path, host: str = "127.0.0.1", port: int = 8080) -> SiteServer:
    """Bind a server to the site; ReportError in one sentence when there is no site or the port is taken."""
    if not (site / "index.html").is_file():
        raise ReportError(f"There is no report in {site} yet; run a batch first.")
    try:
        return SiteServer(site, host, port)
    except OSError as error:
        raise ReportError(
            f"The report cannot be served on {host} port {port} ({os.strerror(error.errno or 0)}); "
            "choose another with --port."
        ) from error


def main(arguments: list[str] | None = None) -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m reports.serve", description="Serve the report site.")
    parser.add_argument("--port", type=int, default=8080, help="0 takes any free one (default: %(default)s)")
    parser.add_argument("--host", default="127.0.0.1", help="address to bind (default: %(default)s)")
    options = parser.parse_args(arguments)
    try:
        server = open_server(read_settings().site_path, options.host, options.port)
    except FloorhouseError as error:
        sys.exit(str(error))
    print(f"The report is at {server.address} (Ctrl-C ends it)", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        print()
    finally:
        server.server_close()


if __name__ == "__main__":
    main()
