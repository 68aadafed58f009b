"""A connection stays open as long as it makes progress."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.ingestion.intake.running import RunningIntake, event, running_intake

QUIET_SECONDS = 5  # the result of the limits below
RECORDS = 9000


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningIntake]:
    """An intake with short time limits for requests."""
    with running_intake(tmp_path_factory.mktemp("hasty"), read_seconds=1, write_seconds=1) as running:
        # The first large body starts the process that judges large bodies, which opens files of its own.
        assert running.post("/api/events/batch", [event(number) for number in range(RECORDS)]).status == 201
        yield running


def connected(running: RunningIntake) -> socket.socket:
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(10 * QUIET_SECONDS)
    connection.connect(("127.0.0.1", running.port))
    return connection


def open_files(running: RunningIntake) -> int:
    return len(list(Path(f"/proc/{running.process.pid}/fd").iterdir()))


def accepted_events(running: RunningIntake) -> int:
    count: int = running.request("GET", "/health").json["accepted_events"]
    return count


def large_batch() -> bytes:
    body = json.dumps([event(number) for number in range(RECORDS)]).encode()
    return b"POST /api/events/batch HTTP/1.1\r\nHost: intake\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def test_clients_that_never_finish_a_requests_head_are_cut_off(hasty: RunningIntake) -> None:
    deadline = time.monotonic() + 3 * QUIET_SECONDS
    with connected(hasty) as silent, connected(hasty) as half, connected(hasty) as slow:
        half.sendall(b"POST /api/events HT")
        with suppress(ConnectionResetError, BrokenPipeError):
            while True:
                assert time.monotonic() < deadline
                slow.sendall(b"G")
                time.sleep(0.1)
        for connection in (silent, half):
            with suppress(ConnectionResetError):
                assert connection.recv(1000) == b""


def test_a_client_that_never_reads_its_answers_is_cut_off(hasty: RunningIntake) -> None:
    files, before = open_files(hasty), accepted_events(hasty)
    requests = 3  # their answers exceed the kernel's buffer for a client
    with connected(hasty) as connection:
        connection.sendall(large_batch() * requests)
        deadline = time.monotonic() + 10 * QUIET_SECONDS
        while accepted_events(hasty) < before + requests * RECORDS:
            assert time.monotonic() < deadline
        while open_files(hasty) > files:
            assert time.monotonic() < deadline
            time.sleep(0.1)


def test_a_client_that_reads_slowly_gets_its_whole_answer(hasty: RunningIntake) -> None:
    with connected(hasty) as connection:
        connection.sendall(large_batch())
        answer = connection.recv(4096)
        started = time.monotonic()
        while time.monotonic() - started < 2.5 * QUIET_SECONDS:
            answer += connection.recv(4096)
            time.sleep(0.05)
        head, _, content = answer.partition(b"\r\n\r\n")
        size = int(head.lower().partition(b"content-length: ")[2].split()[0])
        while len(content) < size:
            content += connection.recv(1 << 20)
    assert json.loads(content)["accepted"] == RECORDS
