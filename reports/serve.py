"""Serving the static site: `python -m reports.serve [--port 8080] [--host 127.0.0.1]`.

`responses.py` decides the answers, and `serving/` the allowed requests; this module only speaks HTTP.
"""

import argparse
import socket
import sys
from contextlib import nullcontext
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO, Self

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ingestion.errors import FloorhouseError, ReportError
from ingestion.settings import ReportSettings, read_report_settings
from reports.responses import MISSING, Answer, answer_for, open_below
from reports.vital_signs import PATHS, answer_of
from serving.guard import Guard
from serving.known_hosts import KnownHosts, known_hosts
from serving.listening import CannotListenError, address_of, listen, make_server

LOOPBACK_ALONE = KnownHosts()
_CHUNK_BYTES = 1 << 18
_QUIET_SECONDS = 60  # s until an idle connection ends; pages that poll every 15 s keep theirs


class Site:
    """The ASGI application of one folder; where it knows the plant's settings, also of its vital signs."""

    def __init__(self, folder: Path, plant: ReportSettings | None = None) -> None:
        self.folder = folder
        self.plant = plant

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. A request body is not read and ends the connection."""
        request = Request(scope, receive)
        if request.method not in ("GET", "HEAD"):
            await Response(status_code=HTTPStatus.NOT_IMPLEMENTED)(scope, receive, send)
            return
        answer, opened, content = await to_thread.run_sync(self._look_up, request)
        headers = dict(answer.headers)
        if answer.status != HTTPStatus.NOT_MODIFIED:
            headers["Content-Length"] = str(answer.length)
        if "transfer-encoding" in request.headers or request.headers.get("content-length", "0") != "0":
            headers["Connection"] = "close"
        raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": answer.status, "headers": raw})
        with opened or nullcontext() as file:
            left = answer.length if request.method == "GET" else 0
            while file and left > len(content) > 0:
                await send({"type": "http.response.body", "body": content, "more_body": True})
                left -= len(content)
                content = await to_thread.run_sync(file.read, min(left, _CHUNK_BYTES))
        await send({"type": "http.response.body", "body": content if left else b""})

    def _look_up(self, request: Request) -> tuple[Answer, BinaryIO | None, bytes]:
        """The answer, the open file with the rest of the content, and the first bytes to send."""
        try:
            if self.plant is not None and request.scope["path"] in PATHS:
                answer = answer_of(self.plant, request.scope["path"])
                return answer, None, answer.content or b""
            answer = answer_for(self.folder, request.scope["raw_path"].decode("ascii"), request.headers)
            if answer.file is None:
                return answer, None, answer.content or b""
            opened = open_below(self.folder, answer.file)
        except (FileNotFoundError, ValueError):  # removed between lookup and opening, or an invalid address
            return MISSING, None, b""
        if opened is None:
            return MISSING, None, b""
        opened.seek(answer.start)
        return answer, opened, opened.read(min(answer.length, _CHUNK_BYTES))


class SiteServer:
    """A server of one folder that listens as soon as it is created."""

    def __init__(
        self, site: Path, host: str, port: int, known: KnownHosts, plant: ReportSettings | None = None
    ) -> None:
        self.site = site
        self._listener: socket.socket = listen(host, port)
        self.server_port: int = self._listener.getsockname()[1]
        self.address = f"{address_of(self._listener, host)}/"  # the report's URL
        self._server = make_server(
            Guard(Site(site, plant), known), _QUIET_SECONDS, timeout_keep_alive=_QUIET_SECONDS // 2
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def serve_forever(self) -> None:
        """Serve until `shutdown`, or until a signal comes to the main thread."""
        self._server.run(sockets=[self._listener])

    def shutdown(self) -> None:
        """Stop soon; safe to call from another thread. Idle connections are closed."""
        self._server.should_exit = True


def open_server(
    site: Path,
    host: str = "127.0.0.1",
    port: int = 8080,
    known: KnownHosts = LOOPBACK_ALONE,
    plant: ReportSettings | None = None,
) -> SiteServer:
    """A server of the site at its port. Raises ReportError if there is no site or the port is taken."""
    if not (site / "index.html").is_file():
        raise ReportError(f"There is no report in {site} yet; run a batch first.")
    try:
        return SiteServer(site, host, port, known, plant)
    except CannotListenError as error:
        raise ReportError(
            f"The report cannot be served on {host} port {port} ({error}); choose another with --port."
        ) from error


def main(arguments: list[str] | None = None) -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="floorhouse serve", description="Serve the report site.")
    parser.add_argument("--port", type=int, default=8080, help="0 takes any free one (default: %(default)s)")
    parser.add_argument("--host", default="127.0.0.1", help="address to bind (default: %(default)s)")
    options = parser.parse_args(arguments)
    try:
        settings = read_report_settings()
        known = known_hosts(options.host, settings.allowed_hosts, settings.site_url)
        server = open_server(settings.site_path, options.host, options.port, known, settings)
    except FloorhouseError as error:
        sys.exit(str(error))
    print(f"The report is at {server.address} (Ctrl-C ends it)", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        print()


if __name__ == "__main__":
    main()
