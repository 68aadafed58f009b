"""Dagster's pages as `make dev` serves them, attacked as a web page in a browser of the same machine would."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from orchestration.webserver import changes_something
from tests.plant import EVENT, Plant

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

PROJECT = Path(__file__).resolve().parents[2]
# A request to start a job. The job does not exist, so nothing runs if the guard fails.
LAUNCH = """mutation { launchRun(executionParams: {selector: {repositoryName: "__repository__",
    repositoryLocationName: "orchestration.definitions", jobName: "none"}, mode: "default"}) { __typename } }"""
QUESTION = "{ version }"


@dataclass(frozen=True)
class Dev:
    """A running `dev` and the lines that it printed."""

    process: subprocess.Popen[str]
    port: int
    plant: Plant

    def ask(
        self, path: str, method: str = "GET", body: str | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, bytes]:
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return response.status, response.read()

    def post(self, question: str, **headers: str) -> tuple[int, Any]:
        given = {"Content-Type": "application/json", **{name.replace("_", "-"): text for name, text in headers.items()}}
        status, content = self.ask("/graphql", "POST", json.dumps({"query": question}), given)
        return status, json.loads(content) if status == 200 else None


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dev]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FLOORHOUSE_")}
    folder = tmp_path_factory.mktemp("dev")
    plant = Plant(folder)
    plant.drop("events/first.jsonl", json.dumps(EVENT))
    process = subprocess.Popen(
        [sys.executable, "-m", "floorhouse", "dev", "--port", "0"],
        cwd=PROJECT,
        env={**environment, "FLOORHOUSE_DATA_DIR": str(folder), "FLOORHOUSE_ALLOWED_HOSTS": "plant.example"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    greeting = next(
        (found for line in process.stdout if (found := re.search(r"http://127\.0\.0\.1:(\d+);", line))), None
    )
    assert greeting is not None, "dev did not start"
    reading = threading.Thread(target=process.stdout.read, daemon=True)
    reading.start()
    yield Dev(process, int(greeting[1]), plant)
    process.kill()
    process.wait()
    reading.join()
    process.stdout.close()


def test_the_pages_and_their_questions_are_answered_to_their_own_pages(dev: Dev) -> None:
    assert b"<html" in dev.ask("/")[1]
    own = {"Origin": f"http://127.0.0.1:{dev.port}", "Sec_Fetch_Site": "same-origin"}
    assert dev.post(QUESTION, **own)[1]["data"] == {"version": ""}
    assert dev.post(QUESTION)[0] == 200  # a program sends no origin
    assert dev.ask("/server_info", headers={"Host": f"localhost:{dev.port}"})[0] == 200
    assert dev.ask("/server_info", headers={"Host": "plant.example"})[0] == 200


def test_the_pages_listen_on_this_machine_alone(dev: Dev) -> None:
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.2", dev.port), timeout=5):
        pass


@pytest.mark.parametrize("host", ["rebound.example", "rebound.example:3000", "127.0.0.1.rebound.example", "10.1.2.3"])
def test_a_name_that_was_made_to_point_here_is_not_answered(dev: Dev, host: str) -> None:
    assert dev.ask("/server_info", headers={"Host": host})[0] == 421
    assert dev.post(QUESTION, Host=host)[0] == 421


@pytest.mark.parametrize("origin", ["http://elsewhere.example", "http://127.0.0.1:1", "http://localhost", "null"])
def test_a_page_of_another_server_can_neither_ask_nor_change_anything(dev: Dev, origin: str) -> None:
    for question in (QUESTION, LAUNCH):
        assert dev.post(question, Origin=origin)[0] == 403
    form = {"Origin": origin, "Content-Type": "application/x-www-form-urlencoded"}
    assert dev.ask("/graphql?" + urlencode({"query": LAUNCH}), "POST", "", form)[0] == 403
    assert dev.ask("/report_asset_materialization/raw", "POST", "{}", {"Origin": origin})[0] == 403


def test_a_mutation_in_an_address_is_refused_and_a_question_is_not(dev: Dev) -> None:
    for value in (LAUNCH, f"query A {QUESTION} {LAUNCH}"):
        assert dev.ask("/graphql?" + urlencode({"query": value}))[0] == 405
    assert dev.ask("/graphql?" + urlencode([("query", QUESTION), ("query", LAUNCH)]))[0] == 405
    assert dev.ask("/graphql?" + urlencode({"query": QUESTION}))[0] == 200
    picture = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
    assert dev.ask("/graphql?" + urlencode({"query": QUESTION}), headers=picture)[0] == 403
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert dev.ask("/", headers=link)[0] == 200
    assert dev.ask("/", headers={**link, "Sec-Fetch-Dest": "iframe"})[0] == 403


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ("Host: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}", 101),
        ("Host: 127.0.0.1:{port}\r\nOrigin: http://elsewhere.example", 403),
        ("Host: rebound.example\r\nOrigin: http://rebound.example", 403),
    ],
)
def test_a_websocket_is_opened_by_own_pages_only(dev: Dev, headers: str, status: int) -> None:
    request = (
        f"GET /graphql HTTP/1.1\r\n{headers.format(port=dev.port)}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: c2l4dGVlbiBieXRlcyEhIQ==\r\n"
        "Sec-WebSocket-Protocol: graphql-ws\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", dev.port), timeout=30) as connection:
        connection.sendall(request.encode())
        assert connection.recv(100).startswith(f"HTTP/1.1 {status} ".encode())


def test_a_second_one_of_the_same_data_folder_is_refused_and_the_first_goes_on(dev: Dev) -> None:
    environment = dict(
        pair.split("=", 1) for pair in Path(f"/proc/{dev.process.pid}/environ").read_text().split("\0") if pair
    )
    second = subprocess.run(
        [sys.executable, "-m", "floorhouse", "dev", "--port", "0"],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert second.returncode == 1
    assert re.fullmatch(
        rf"Another Dagster daemon \(process {dev.process.pid}\) serves the data folder .*; end it first.*\n",
        second.stderr,
    )
    assert dev.ask("/server_info")[0] == 200


def test_what_is_dropped_is_landed_by_a_warm_process_and_by_a_new_one_after_it_was_killed(dev: Dev) -> None:
    published(dev.plant, events=1)
    first = worker(dev)
    os.kill(first, signal.SIGKILL)
    dev.plant.drop("events/second.jsonl", json.dumps({**EVENT, "timestamp": "2026-01-15T10:25:00Z"}))
    published(dev.plant, events=2)
    assert worker(dev) != first


def published(plant: Plant, events: int) -> None:
    """Wait until so many events are published."""
    deadline = time.monotonic() + 400
    path = plant.settings.published_path / "landed_objects.parquet"
    while not (path.exists() and sum(row["accepted"] for row in plant.mart("landed_objects")) == events):
        assert time.monotonic() < deadline
        time.sleep(0.5)


def worker(dev: Dev) -> int:
    """The process id of the warm process."""
    commands = {pid: Path(f"/proc/{pid}/cmdline").read_bytes() for pid in descendants(dev.process.pid)}
    (pid,) = [pid for pid, command in commands.items() if b"orchestration.live.worker" in command]
    return pid


def test_no_process_is_left_after_an_orderly_end(dev: Dev) -> None:
    children = set(descendants(dev.process.pid))
    assert len(children) >= 4  # the watcher, the warm process, Dagster's daemon and a code location
    dev.process.send_signal(signal.SIGTERM)
    assert dev.process.wait(timeout=120) == 0
    deadline = time.monotonic() + 60
    while any(Path(f"/proc/{child}").exists() for child in children):
        assert time.monotonic() < deadline
        time.sleep(0.2)


def descendants(process: int) -> Iterator[int]:
    for task in Path(f"/proc/{process}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield int(child)
            yield from descendants(int(child))


@pytest.mark.parametrize(
    ("document", "changes"),
    [
        (QUESTION, False),
        ("query A { version }", False),
        (LAUNCH, True),
        ("# a remark\n mutation A { x } query B { version }", True),
        ("subscription { x }", True),
        ("mutation {", False),
        ("{a" * 5_000, False),
        ("fragment A on B { mutation }", False),
    ],
)
def test_mutations_are_recognised_by_the_parser_that_dagster_uses(document: str, changes: bool) -> None:
    assert changes_something(document) is changes
