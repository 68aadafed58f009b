"""A bad link between landing and its S3 server: an HTTP proxy on loopback that fails selected requests."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

FAULTS = ("drop", "cut", "403")  # "cut": the answer ends in the middle of its body


class FaultyLink(ThreadingHTTPServer):
    """Forwards requests. `lasting` of them, from the `at`-th on (counted from 1 since `reset`), meet the fault."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, upstream: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream = urlsplit(upstream).netloc
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self._lock = threading.Lock()
        self.reset()

    def reset(self, fault: str = "", at: int = 0, lasting: int = 0) -> None:
        """Restart the count, with another fault or none."""
        self.fault, self.at, self.lasting, self.requests, self.met = fault, at, lasting, 0, 0

    def next_fault(self) -> str:
        """The fault that this request meets; empty if none."""
        with self._lock:
            self.requests += 1
            is_met = self.at <= self.requests < self.at + self.lasting
            self.met += is_met
            return self.fault if is_met else ""

    def handle_error(self, *_: object) -> None:
        """Ignore a client that closed its connection."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FaultyLink

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = self.server.next_fault()
        if fault == "drop":
            self.close_connection = True
            return
        if fault.isdigit():
            self._answer(int(fault), [], b"<Error><Code>Fault</Code></Error>")
            return
        upstream = http.client.HTTPConnection(self.server.upstream, timeout=30)
        try:
            # The signature covers the host that the client knows, so the headers are forwarded unchanged.
            upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                upstream.putheader(name, value)
            upstream.endheaders(body)
            response = upstream.getresponse()
            content = response.read()
            self._answer(response.status, response.getheaders(), content, is_cut=fault == "cut")
        finally:
            upstream.close()

    def _answer(self, status: int, headers: list[tuple[str, str]], content: bytes, is_cut: bool = False) -> None:
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        length = dict(headers).get("Content-Length") if self.command == "HEAD" else str(len(content))
        if status != 204:
            self.send_header("Content-Length", length or "0")
        if is_cut:
            content = content[: len(content) // 2]
            self.close_connection = True
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = _pass_on  # noqa: N815  # the names that http.server asks for

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@contextmanager
def faulty_link(upstream: str) -> Iterator[FaultyLink]:
    """The link to a server's URL, during a block."""
    link = FaultyLink(upstream)
    thread = threading.Thread(target=link.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield link
    finally:
        with suppress(OSError):
            link.shutdown()
            link.server_close()
        thread.join()
