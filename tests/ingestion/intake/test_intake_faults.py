"""However the process ends, acknowledged events are in the bucket exactly as acknowledged."""

from __future__ import annotations

import dataclasses
import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import Any

import pytest

from tests.ingestion.intake.running import JSON_BODY, RunningIntake, event, running_intake
from tests.plant import Plant

CLIENTS = 6
BATCH = 20


@dataclasses.dataclass
class Traffic:
    """Clients that post until they cannot: the events that were acknowledged, and those without an answer."""

    acknowledged: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    unanswered: list[tuple[str, bytes]] = dataclasses.field(default_factory=list)
    other_answers: list[int] = dataclasses.field(default_factory=list)


def post_until_it_ends(running: RunningIntake, client: int, first: int, traffic: Traffic) -> None:
    """Clients with odd numbers send batches, those with even numbers single events."""
    connection = running.connect()
    for number in range(first, first + 1_000_000, BATCH):
        records = [event(at, camera_id=f"camera-{client}") for at in range(number, number + BATCH)]
        path, value = ("/api/events/batch", records) if client % 2 else ("/api/events", records[0])
        body = json.dumps(value).encode()
        try:
            connection.request("POST", path, body, JSON_BODY)
            response = connection.getresponse()
            answer = json.loads(response.read())
        except (OSError, HTTPException, ValueError):
            traffic.unanswered.append((path, body))
            return
        if response.status == 201:
            traffic.acknowledged += [one["event"] for one in answer["results"]] if client % 2 else [answer]
        else:
            traffic.other_answers.append(response.status)


@contextmanager
def clients_posting(running: RunningIntake, first: int, traffic: Traffic) -> Iterator[None]:
    """Clients whose events nobody else sends. They end when the intake does."""
    with ThreadPoolExecutor(CLIENTS) as clients:
        jobs = [
            clients.submit(post_until_it_ends, running, client, first + client * 1_000_000, traffic)
            for client in range(CLIENTS)
        ]
        yield
    for job in jobs:
        job.result()


def wait_for(traffic: Traffic, acknowledged: int) -> None:
    deadline = time.monotonic() + 60
    while len(traffic.acknowledged) < acknowledged:
        assert time.monotonic() < deadline
        time.sleep(0.005)


def landed(plant: Plant) -> dict[tuple[object, ...], int]:
    """Every landed event in the form of an answer, with the number of times it landed."""
    found: dict[tuple[object, ...], int] = {}
    for row in plant.raw("events"):
        at = row["event_at"].isoformat(timespec="microseconds").replace("+00:00", "Z")
        names = ("site_id", "camera_id", "worker_id", "workstation_id", "event_type", "confidence", "unit_count")
        key = (at, *(row[name] for name in names))
        found[key] = found.get(key, 0) + 1
    return found


def answered(event: dict[str, Any]) -> tuple[object, ...]:
    at = event["timestamp"] if "." in event["timestamp"] else event["timestamp"].replace("Z", ".000000Z")
    names = ("site_id", "camera_id", "worker_id", "workstation_id", "event_type", "confidence", "count")
    return (at, *(event[name] for name in names))


def test_after_kill_9_every_acknowledged_event_lands_exactly_as_it_was_acknowledged(tmp_path: Path) -> None:
    plant, traffic = Plant(tmp_path), Traffic()
    for round_number in range(4):  # from the second round on, with the remnants of the killed process
        with running_intake(tmp_path) as running:
            enough = len(traffic.acknowledged) + 150 + 61 * round_number
            with clients_posting(running, round_number * 10_000_000, traffic):
                wait_for(traffic, enough)
                running.process.kill()
    assert traffic.other_answers == []
    assert len(traffic.unanswered) == 4 * CLIENTS
    report = plant.land()
    assert report.rejected == 0
    in_bucket = landed(plant)
    for acknowledged in traffic.acknowledged:
        assert in_bucket[answered(acknowledged)] == 1
    assert len(traffic.acknowledged) <= report.accepted <= len(traffic.acknowledged) + 4 * CLIENTS * BATCH


def test_what_was_not_answered_is_sent_again_and_counts_once(tmp_path: Path) -> None:
    plant, traffic = Plant(tmp_path), Traffic()
    with running_intake(tmp_path) as running, clients_posting(running, 0, traffic):
        wait_for(traffic, 100)
        running.process.kill()
    assert traffic.unanswered
    with running_intake(tmp_path) as running:
        for path, body in traffic.unanswered * 2:
            answer = running.post(path, body)
            assert answer.status == 201
            traffic.acknowledged += [one["event"] for one in answer.json.get("results", [])] or [answer.json]
    plant.batch()
    distinct = {one["id"] for one in traffic.acknowledged}
    assert sum(row["event_count"] for row in plant.mart("worker_shifts")) == len(distinct)


def test_on_sigterm_whoever_has_sent_a_request_gets_an_answer_and_it_is_true(tmp_path: Path) -> None:
    plant, traffic = Plant(tmp_path), Traffic()
    with running_intake(tmp_path) as running:
        half = running.connect()
        body = json.dumps(event(7, camera_id="half-sent")).encode()
        half.putrequest("POST", "/api/events")
        half.putheader("Content-Length", str(len(body)))
        half.endheaders(body[:10])
        with clients_posting(running, 0, traffic):
            wait_for(traffic, 200)
            threading.Timer(0.5, half.send, [body[10:]]).start()
            status = running.end()
        response = half.getresponse()
        assert response.status == 201
        traffic.acknowledged.append(json.loads(response.read()))
        half.close()
    assert status == 0
    assert traffic.other_answers == []
    assert plant.land().rejected == 0
    in_bucket = landed(plant)
    assert all(in_bucket[answered(one)] == 1 for one in traffic.acknowledged)
    # A client without an answer was told that the connection ends, or was not heard. None of its records are stored.
    unheard = [json.loads(body) for _, body in traffic.unanswered]
    times = {one["timestamp"] for value in unheard for one in (value if isinstance(value, list) else [value])}
    stored = {json.loads(line)["timestamp"] for path in stored_after(plant) for line in path.read_bytes().splitlines()}
    assert not times & stored


def stored_after(plant: Plant) -> list[Path]:
    return [path for path in plant.landing.rglob("*.jsonl") if not path.name.startswith("_")]


def test_an_idle_intake_ends_at_once_with_status_0(tmp_path: Path) -> None:
    with running_intake(tmp_path) as running:
        kept = running.connect()
        kept.request("GET", "/health")
        kept.getresponse().read()
        started = time.monotonic()
        assert running.end() == 0
        assert time.monotonic() - started < 10
        kept.close()


@pytest.mark.parametrize("milliseconds", [0, 300])
def test_a_lone_client_never_waits_for_others_and_two_share_what_they_wait_for(
    tmp_path: Path, milliseconds: int
) -> None:
    with running_intake(tmp_path, group_milliseconds=milliseconds) as running:
        lone = running.connect()
        seconds = []
        for number in range(11):
            started = time.monotonic()
            lone.request("POST", "/api/events", json.dumps(event(number)), JSON_BODY)
            assert lone.getresponse().read()
            seconds.append(time.monotonic() - started)
        assert sorted(seconds)[5] < 0.2  # the median, because the machine may be busy for a moment
        lone.close()
