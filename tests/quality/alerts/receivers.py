"""A real HTTP server and a real SMTP server on loopback, which record messages and can be made to refuse them."""

from __future__ import annotations

import json
import socketserver
import threading
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import Message as Mail
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Webhook(ThreadingHTTPServer):
    """Answers `status` to every POST and stores the bodies of those that it accepted."""

    daemon_threads = True

    def __init__(self) -> None:
        self.taken: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.status = 200
        self.retry_after = ""
        super().__init__(("127.0.0.1", 0), _WebhookHandler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/hook/a-secret-path"


class _WebhookHandler(BaseHTTPRequestHandler):
    server: Webhook

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.server.status == 200:
            self.server.taken.append(body)
            self.server.keys.append(self.headers["Idempotency-Key"])
        self.send_response(self.server.status)
        self.send_header("Location", "/elsewhere")
        if self.server.retry_after:
            self.send_header("Retry-After", self.server.retry_after)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


class MailServer(socketserver.ThreadingTCPServer):
    """Speaks as much SMTP as `smtplib` needs (RFC 5321), and stores the mails."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.refuses = False
        self.refused_recipient = ""
        self.logins: list[bytes] = []
        super().__init__(("127.0.0.1", 0), _MailHandler)


class _MailHandler(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self._say("220 loopback")
        while line := self.rfile.readline():
            verb = line.strip().upper()
            if verb.startswith(b"DATA"):
                self._say("354 go on")
                lines = []
                while (part := self.rfile.readline()).rstrip(b"\r\n") != b".":
                    lines.append(part.removeprefix(b".") if part.startswith(b"..") else part)
                if self.server.refuses:
                    self._say("451 later")
                    continue
                self.server.mails.append(message_from_bytes(b"".join(lines), policy=default))
                self._say("250 taken")
            elif verb.startswith(b"QUIT"):
                self._say("221 bye")
                return
            elif verb.startswith(b"EHLO"):
                self._say("250-loopback")
                self._say("250 AUTH PLAIN LOGIN")
            elif verb.startswith(b"AUTH PLAIN"):
                self.server.logins.append(b64decode(line.split()[2]))
                self._say("235 welcome")
            elif self.server.refused_recipient and self.server.refused_recipient.upper().encode() in verb:
                self._say("550 nobody of this name")
            else:
                self._say("250 ok")

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


class Garbage(socketserver.ThreadingTCPServer):
    """Answers every connection with `answer`. If `answer` is empty, it reads everything and never answers."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.connections = 0
        self.is_over = threading.Event()
        super().__init__(("127.0.0.1", 0), _GarbageHandler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/a-secret-path"

    def shutdown(self) -> None:
        self.is_over.set()
        super().shutdown()


class _GarbageHandler(socketserver.BaseRequestHandler):
    server: Garbage

    def handle(self) -> None:
        self.server.connections += 1
        if not self.server.answer:
            self.server.is_over.wait(60)
            return
        self.request.recv(65_536)
        self.request.sendall(self.server.answer)


@contextmanager
def running(server: Any) -> Iterator[Any]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
