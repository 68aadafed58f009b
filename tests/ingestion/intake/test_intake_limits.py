"""Requests above the limits are refused at once, and later requests are served."""

from __future__ import annotations

import json
import shutil
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ingestion.intake.waiting import TooManyWaiting, Waiting
from tests.ingestion.intake.running import RunningIntake, event, running_intake

LIMIT = 2_000


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningIntake]:
    """An intake with tight limits."""
    with running_intake(
        tmp_path_factory.mktemp("small"),
        max_body_bytes=LIMIT,
        max_waiting_bytes=2 * LIMIT,
        max_batch_records=5,
        max_waiting_requests=2,
        read_seconds=3,
    ) as running:
        yield running


def unfinished(small: RunningIntake, headers: str = "Transfer-Encoding: chunked", body: bytes = b"") -> socket.socket:
    """A request whose body never ends."""
    connection = socket.create_connection(("127.0.0.1", small.port), timeout=30)
    connection.sendall(f"POST /api/events HTTP/1.1\r\nHost: intake\r\n{headers}\r\n\r\n".encode() + body)
    return connection


def wait_until_waiting(small: RunningIntake, requests: int) -> None:
    deadline = time.monotonic() + 20
    while small.request("GET", "/health").json["waiting_requests"] != requests:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def padded(size: int) -> bytes:
    body = json.dumps(event()).encode()
    return body + b" " * (size - len(body))


@pytest.mark.parametrize(("size", "status"), [(LIMIT, 201), (LIMIT + 1, 413), (LIMIT * 1000, 413)])
def test_a_body_above_the_limit_is_refused_by_its_announced_length(
    small: RunningIntake, size: int, status: int
) -> None:
    wait_until_waiting(small, 0)
    assert small.post("/api/events", padded(size)).status == status


@pytest.mark.parametrize(("size", "status"), [(LIMIT, 201), (LIMIT + 1, 413), (LIMIT * 1000, 413)])
def test_a_body_above_the_limit_is_refused_also_when_it_comes_in_chunks_without_a_length(
    small: RunningIntake, size: int, status: int
) -> None:
    wait_until_waiting(small, 0)
    body = padded(size)
    connection = small.connect()
    pieces = (body[at : at + 700] for at in range(0, len(body), 700))
    connection.request("POST", "/api/events", pieces, encode_chunked=True, headers={"Transfer-Encoding": "chunked"})
    response = connection.getresponse()
    assert response.status == status
    assert (json.loads(response.read()).get("reason") == "too_large") == (status == 413)
    connection.close()


def test_an_announced_length_that_no_number_holds_is_refused(small: RunningIntake) -> None:
    with unfinished(small, f"Content-Length: {'9' * 19}") as connection:
        assert connection.recv(1000).split(b"\r\n")[0].split()[1] in (b"413", b"400")


def test_a_client_that_asks_first_hears_413_before_it_sends(small: RunningIntake) -> None:
    with unfinished(small, f"Content-Length: {LIMIT + 1}\r\nExpect: 100-continue") as connection:
        assert connection.recv(1000).startswith(b"HTTP/1.1 413 ")


def test_a_batch_of_too_many_records_is_refused_as_a_whole(small: RunningIntake) -> None:
    wait_until_waiting(small, 0)
    before = small.stored_lines()
    assert small.post("/api/events/batch", [event(number) for number in range(5)]).status == 201
    answer = small.post("/api/events/batch", [event(number) for number in range(6)])
    assert (answer.status, answer.json["reason"]) == (413, "too_many_records")
    assert len(small.stored_lines()) == len(before) + 5


@pytest.mark.parametrize("limit", [{"max_waiting_requests": 2}, {"max_body_bytes": LIMIT, "max_waiting_bytes": LIMIT}])
def test_when_too_much_waits_the_next_one_hears_429_and_when_to_come_back(
    tmp_path: Path, limit: dict[str, int]
) -> None:
    with running_intake(tmp_path, read_seconds=60, **limit) as running:
        announced = f"Content-Length: {LIMIT // 2}"
        with unfinished(running, announced), unfinished(running, announced):
            wait_until_waiting(running, 2)
            answer = running.post("/api/events", event())
        assert (answer.status, answer.json["reason"]) == (429, "too_many_waiting")
        assert int(answer.headers["Retry-After"]) >= 1
        wait_until_waiting(running, 0)
        assert running.post("/api/events", event()).status == 201


def test_a_body_that_does_not_come_in_time_is_408_and_frees_its_place(small: RunningIntake) -> None:
    wait_until_waiting(small, 0)
    with unfinished(small, body=b"1\r\n{\r\n") as connection:
        assert connection.recv(1000).startswith(b"HTTP/1.1 408 ")
    wait_until_waiting(small, 0)


def test_a_client_that_leaves_frees_its_place(tmp_path: Path) -> None:
    with running_intake(tmp_path, max_waiting_requests=1) as running:
        with unfinished(running):
            wait_until_waiting(running, 1)
        wait_until_waiting(running, 0)
        assert running.post("/api/events", event()).status == 201


def test_a_bucket_that_cannot_be_written_is_503_with_nothing_acknowledged_until_it_can_again(tmp_path: Path) -> None:
    with running_intake(tmp_path) as running:
        blocked = tmp_path / "landing/events/intake"
        blocked.write_text("a file where the folder belongs")
        for path, value in (("/api/events", event()), ("/api/events/batch", [event(), {}])):
            answer = running.post(path, value)
            assert (answer.status, answer.json["reason"]) == (503, "bucket_unavailable")
            assert answer.json["detail"].count(". ") == 0
            assert answer.json["detail"].endswith(".")
            assert int(answer.headers["Retry-After"]) >= 1
        health = running.request("GET", "/health")
        assert (health.status, health.json["accepted_events"]) == (503, 0)
        assert running.post("/api/events", {}).status == 422  # answers that need no bucket are as before
        blocked.unlink()
        assert running.post("/api/events", event()).status == 201
        assert running.request("GET", "/health").status == 200
        assert len(running.stored_lines()) == 1
        shutil.rmtree(blocked)  # as when somebody removes the folder
        assert running.post("/api/events", event()).status == 201


def test_a_share_that_goes_away_or_is_not_there_yet_is_503_and_nothing_is_written_in_its_place(tmp_path: Path) -> None:
    share = tmp_path / "share"
    share.mkdir()  # the mount point
    with running_intake(tmp_path / "data", landing_url=share.as_uri()) as running:
        for mount in range(2):
            answer = running.post("/api/events", event())
            assert (answer.status, answer.json["reason"]) == (503, "bucket_unavailable")
            assert "is it mounted?" in answer.json["detail"]
            assert list(share.iterdir()) == []
            (share / "events").mkdir()  # it is mounted
            assert running.post("/api/events", event()).status == 201
            share.rename(tmp_path / f"away-{mount}")  # and unmounted again
            share.mkdir()


def test_places_are_bounded_in_number_and_bytes_and_given_back() -> None:
    waiting = Waiting(max_requests=2, max_bytes=100)
    with waiting.place() as first, waiting.place() as second:
        first.hold(60)
        first.hold(40)  # less than it holds already
        second.hold(40)
        assert (waiting.requests, waiting.bytes) == (2, 100)
        with pytest.raises(TooManyWaiting, match="100 bytes"):
            second.hold(41)
        with pytest.raises(TooManyWaiting, match="2 requests"), waiting.place():
            pass
    assert (waiting.requests, waiting.bytes) == (0, 0)


def test_a_million_tiny_records_cost_little_memory_and_do_not_keep_others_waiting(intake: RunningIntake) -> None:
    tiny = b"[" + b"1," * 1_500_000 + b"1]"
    with ThreadPoolExecutor(4) as clients:
        posting = [clients.submit(intake.post, "/api/events/batch", tiny) for _ in range(4)]
        assert intake.post("/api/events", event()).status == 201
        assert {one.result().json["reason"] for one in posting} == {"too_many_records"}
    status = Path(f"/proc/{intake.process.pid}/status").read_text()
    peak_kibibytes = int(status.partition("VmHWM:")[2].split()[0])
    assert peak_kibibytes < 600 << 10
