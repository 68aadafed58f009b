"""Connections over real sockets: a crowd is served, and connections of the client with the most are closed first."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from starlette.responses import PlainTextResponse

from serving import connections
from serving.guard import Guard
from serving.known_hosts import KnownHosts
from serving.listening import listen, make_server

REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
MOST = 20


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The port of a server that allows few connections."""
    monkeypatch.setattr(connections, "MAX_CONNECTIONS", MOST)
    with listen("127.0.0.1", 0) as listener:
        server = make_server(Guard(PlainTextResponse("here"), KnownHosts()), 30, timeout_keep_alive=30)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield listener.getsockname()[1]
        server.should_exit = True
        thread.join()


def connect(port: int, address: str = "127.0.0.1") -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=30, source_address=(address, 0))


def ask(connection: socket.socket) -> bytes:
    try:
        connection.sendall(REQUEST)
        answer = connection.recv(1000)
        return answer if not answer or answer.endswith(b"here") else answer + connection.recv(1000)
    except ConnectionError:
        return b""


def test_the_client_with_most_idle_connections_makes_room_and_others_keep_theirs(port: int) -> None:
    with ExitStack() as stack:
        honest = [stack.enter_context(connect(port, f"127.0.0.{number}")) for number in range(2, 6)]
        assert all(ask(one).endswith(b"here") for one in honest)
        crowd = [stack.enter_context(connect(port, "127.0.0.9")) for _ in range(3 * MOST)]
        late = stack.enter_context(connect(port, "127.0.0.7"))
        assert ask(late).endswith(b"here")
        assert all(ask(one).endswith(b"here") for one in honest)
        answered = [ask(one) for one in crowd]
        assert answered[0] == b""  # the oldest was closed first
        assert answered[-1].endswith(b"here")


def test_an_unknown_host_hears_why_and_the_application_hears_nothing(port: int) -> None:
    with connect(port) as connection:
        connection.sendall(REQUEST.replace(b"localhost", b"evil.example"))
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(2000), b""))
    assert answer.startswith(b"HTTP/1.1 421 ")
    assert b"FLOORHOUSE_ALLOWED_HOSTS" in answer
    assert not answer.endswith(b"here")
