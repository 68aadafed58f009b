"""No sender can delay other senders, or use their share of memory for long."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from ingestion.intake.judges import Judges
from ingestion.intake.judging import Bounds, Judged, Unreadable, judge_batch
from ingestion.intake.keys import COLUMNS, Sender, hash_of
from ingestion.intake.waiting import TooManyWaiting, Turns, Waiting
from tests.ingestion.intake.running import RunningIntake, event, running_intake

HOSTILE, HONEST = "hostile", "honest"
MOST_BYTES = 4 << 20
BOUNDS = Bounds(10_000, 1 << 20)
NOW = datetime(2026, 1, 15, tzinfo=UTC)


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningIntake]:
    """An intake with two keys and default limits, except that few requests may wait."""
    folder = tmp_path_factory.mktemp("keyed")
    lines = [",".join(COLUMNS), *(f"*,,{hash_of(key)}" for key in (HOSTILE, HONEST))]
    (folder / "keys.csv").write_text("\n".join(lines))
    with running_intake(
        folder, api_keys_file=folder / "keys.csv", read_seconds=60, max_waiting_requests=20, write_seconds=10
    ) as running:
        yield running


def begun(running: RunningIntake, length: int, key: str = HOSTILE) -> socket.socket:
    """A request that announces a body and sends only its first byte."""
    connection = socket.create_connection(("127.0.0.1", running.port), timeout=60)
    head = f"POST /api/events/batch HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {key}\r\nContent-Length: {length}\r\n\r\n"
    connection.sendall(head.encode() + b"[")
    return connection


def wait_until_waiting(running: RunningIntake, requests: int) -> None:
    deadline = time.monotonic() + 60
    while running.request("GET", "/health").json["waiting_requests"] != requests:
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize(("count", "length"), [(16, MOST_BYTES), (20, 100)])
def test_slow_bodies_of_one_key_make_room_for_another_and_hear_why(
    keyed: RunningIntake, count: int, length: int
) -> None:
    with ExitStack() as stack:
        slow = [stack.enter_context(begun(keyed, length)) for _ in range(count)]
        wait_until_waiting(keyed, count)
        started = time.monotonic()
        for number in range(5):
            assert keyed.post("/api/events", event(number), X_API_Key=HONEST).status == 201
        assert time.monotonic() - started < 30  # not the 60 s that a body may take
        assert keyed.post("/api/events", event(), X_API_Key=HOSTILE).status in (201, 429)  # a sender's own share
        for one in slow:
            one.setblocking(False)
        answers = [answer for one in slow if (answer := _received(one))]
        assert 1 <= len(answers) <= 5
        assert all(b" 429 " in answer and b"Other senders needed" in answer for answer in answers)
    wait_until_waiting(keyed, 0)


def _received(connection: socket.socket) -> bytes:
    try:
        return connection.recv(4000)
    except BlockingIOError:
        return b""


@pytest.mark.parametrize(
    "body",
    [
        b"[" + b"1," * (MOST_BYTES // 2 - 2) + b"1]",
        b'["\\ud800",' + b"1," * (MOST_BYTES // 2 - 8) + b"1]",
        b"[" + b"1," * (MOST_BYTES // 2 - 2),
        b"[" + b",".join([b'{"a":[' + b"1," * 500_000 + b"1]}"] * 3) + b"]",
        b"[" + b",".join([b'{"a":[' + b"1," * 190 + b"1]}"] * 10_000) + b"]",
    ],
    ids=["too many", "read exactly only", "cut off", "large records", "many records"],
)
def test_an_array_that_costs_much_to_read_keeps_nobody_waiting(keyed: RunningIntake, body: bytes) -> None:
    with ExitStack() as stack:
        for _ in range(3):
            connection = stack.enter_context(begun(keyed, len(body)))
            connection.sendall(body[1:])
        waits = []
        for number in range(40):
            started = time.monotonic()
            assert keyed.post("/api/events", event(number), X_API_Key=HONEST).status == 201
            waits.append(time.monotonic() - started)
    waits.sort()
    assert waits[len(waits) // 2] < 0.5  # the median, because a busy machine may delay single ones


def test_a_large_record_without_what_it_needs_is_refused_before_it_is_parsed_as_a_whole() -> None:
    ballast = ", ".join(f'"field_{number}": [{"1," * 99}1]' for number in range(2_000))
    whole = json.dumps(event())[:-1] + f", {ballast}}}"
    lacking = json.dumps(event(workstation_id=None))[:-1] + f", {ballast}}}"
    assert len(whole) > 300_000
    results = json.loads(judge_batch(f"[{whole},{lacking}]".encode(), Sender(), NOW, BOUNDS).answer)["results"]
    assert [(one["status"], one.get("reason")) for one in results] == [(201, None), (422, "missing_field")]
    times = []
    for record in (whole, lacking):
        started = time.process_time()
        judge_batch(f"[{record}]".encode(), Sender(), NOW, BOUNDS)
        times.append(time.process_time() - started)
    assert times[1] < times[0] / 3


def test_an_array_with_a_lone_surrogate_is_cut_where_its_records_end() -> None:
    records = ['{"a":"\\ud800]"}', " 1 ", '"\\\\ud800,"', "[1,[2 , 3]]", '{"b":{"c":"\\uDFFF}"}}']
    judged = judge_batch(f"[{' ,'.join(records)}]".encode(), Sender(), NOW, BOUNDS)
    reasons = [one["reason"] for one in json.loads(judged.answer)["results"]]
    assert reasons == ["missing_field", "not_an_object", "not_an_object", "not_an_object", "missing_field"]


def test_a_process_that_judges_and_is_killed_is_replaced_and_errors_come_back_whole() -> None:
    body = b"[" + b"{}," * 3_000 + b"{}]"
    judge = partial(judge_batch, bounds=BOUNDS)

    async def judge_twice() -> list[Judged]:
        judges = Judges()
        first = await judges.judge(judge, body, Sender(), NOW, "a")
        for process in list(judges._process._processes.values()):  # type: ignore[union-attr]
            process.kill()
        second = await judges.judge(judge, body, Sender(), NOW, "a")
        with pytest.raises(Unreadable) as refused:
            await judges.judge(judge, body[:-1], Sender(), NOW, "a")
        assert refused.value.problem.reason == "malformed_json"
        return [first, second]

    first, second = asyncio.run(judge_twice())
    assert first == second == judge(body, Sender(), NOW)


def test_a_judging_process_ends_with_the_intake_however_that_ends(tmp_path: Path) -> None:
    with running_intake(tmp_path) as running:
        assert running.post("/api/events/batch", [event(number) for number in range(2_000)]).status == 201
        children = Path(f"/proc/{running.process.pid}/task/{running.process.pid}/children").read_text().split()
        assert children
        running.process.kill()
        running.process.wait()
        deadline = time.monotonic() + 30
        while any(Path(f"/proc/{child}").exists() for child in children):
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_whoever_holds_most_gives_way_and_never_to_himself_or_to_one_who_holds_as_much() -> None:
    waiting = Waiting(max_requests=4, max_bytes=100)
    ended: list[str] = []
    with ExitStack() as stack:
        places = {}
        for name, holder, size in (("a1", "a", 30), ("a2", "a", 40), ("b1", "b", 30)):
            places[name] = stack.enter_context(waiting.place(holder))
            places[name].hold(size)
            places[name].gives_way = partial(ended.append, name)
        with pytest.raises(TooManyWaiting):
            places["a1"].hold(31)
        assert ended == []
        late = stack.enter_context(waiting.place("c"))
        late.hold(10)  # a holds 70, so its largest request gives way
        assert (ended, waiting.requests, waiting.bytes) == (["a2"], 3, 70)
        late.hold(40)
        assert ended == ["a2"]
        with pytest.raises(TooManyWaiting):
            late.hold(41)  # nobody would hold more than this one then
        with pytest.raises(TooManyWaiting):
            places["a2"].hold(41)
        places["a1"].gives_way = None  # it is being written
        places["b1"].gives_way = None
        with pytest.raises(TooManyWaiting):
            stack.enter_context(waiting.place("d")).hold(31)
    assert (waiting.requests, waiting.bytes, waiting.places) == (0, 0, {})


def test_each_holder_has_its_turn_however_many_requests_of_another_wait() -> None:
    async def order() -> list[str]:
        turns, done = Turns(), []

        async def work(name: str) -> None:
            async with turns.turn(name[0]):
                await asyncio.sleep(0)
                done.append(name)

        tasks = [asyncio.create_task(work(name)) for name in ("a1", "a2", "a3", "a4", "b1", "c1")]
        await asyncio.sleep(0)
        tasks[2].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        async with asyncio.timeout(5), turns.turn("d"):  # nobody has the turn any more
            return done

    assert asyncio.run(order()) == ["a1", "a2", "b1", "c1", "a4"]
