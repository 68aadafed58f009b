"""A real HTTP server on loopback that receives heartbeats. It can be made to refuse them or not to answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class HeartMonitor(ThreadingHTTPServer):
    """Answers every GET with `status` after `seconds`, and stores the paths."""

    daemon_threads = True

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.status = 200
        self.seconds = 0.0
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        """The address, with a path that is a secret."""
        return f"http://127.0.0.1:{self.server_address[1]}/a-secret-path"


class _Handler(BaseHTTPRequestHandler):
    server: HeartMonitor

    def do_GET(self) -> None:
        """Store the path and answer."""
        self.server.calls.append(self.path)
        time.sleep(self.server.seconds)
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@contextmanager
def heart_monitor() -> Iterator[HeartMonitor]:
    """A server that runs within the block."""
    with HeartMonitor() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()
