"""Measures the HTTP intake with four clients on loopback. Each waits for its answer before the next request."""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

from benchmarks import events as made

Add = Callable[[str, str, str], None]

CLIENTS = 4
BATCH_EVENTS = 500
EVENTS = 200_000
SINGLE_EVENTS = 4_000


def intake(work: Path, add: Add) -> None:
    """Measure the events acknowledged as durable per second, in batches and singly, and the time of an answer."""
    source = work / "posted.json"
    made.write_one_file(source, EVENTS)
    lines = source.read_bytes().splitlines()
    batches = [b"[%s]" % b",".join(lines[at : at + BATCH_EVENTS]) for at in range(0, EVENTS, BATCH_EVENTS)]
    _measure(work / "posted-batches", "/api/events/batch", batches, EVENTS, f"batches of {BATCH_EVENTS}", add)
    _measure(work / "posted-singles", "/api/events", lines[:SINGLE_EVENTS], SINGLE_EVENTS, "one event at a time", add)


def _measure(data_dir: Path, path: str, bodies: list[bytes], events: int, name: str, add: Add) -> None:
    with _server(data_dir) as port, ThreadPoolExecutor(CLIENTS) as clients:
        _post_all(port, path, bodies[:CLIENTS])  # the first requests pay for connections and folders
        started = time.monotonic()
        parts = [clients.submit(_post_all, port, path, bodies[number::CLIENTS]) for number in range(CLIENTS)]
        seconds = [one for part in parts for one in part.result()]
        elapsed = time.monotonic() - started
    stored = sum(path.read_bytes().count(b"\n") for path in (data_dir / "landing").rglob("*.jsonl"))
    expected = events + events // len(bodies) * CLIENTS
    if stored != expected:
        raise RuntimeError(f"{expected} events were acknowledged, but the bucket holds {stored}.")
    cuts = statistics.quantiles(seconds, n=100)
    objects = sum(1 for _ in (data_dir / "landing").rglob("*.jsonl"))
    add(
        f"intake: {name}, {CLIENTS} clients",
        f"{elapsed:.1f}",
        f"{events / elapsed:,.0f} events/s durable, p50 {cuts[49] * 1000:.1f} ms, p99 {cuts[98] * 1000:.1f} ms, "
        f"{events:,} events in {objects:,} objects",
    )


def _post_all(port: int, path: str, bodies: list[bytes]) -> list[float]:
    """The seconds from sending to the complete answer, for each body."""
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    seconds = []
    for body in bodies:
        started = time.monotonic()
        connection.request("POST", path, body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        content = response.read()
        seconds.append(time.monotonic() - started)
        if response.status != 201:
            raise RuntimeError(f"The intake answered {response.status}: {content[:300]!r}.")
    connection.close()
    return seconds


@contextmanager
def _server(data_dir: Path) -> Iterator[int]:
    """The port of a running intake, which is ended afterwards."""
    given = {name: value for name, value in os.environ.items() if not name.startswith("FLOORHOUSE_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "ingestion.intake", "--port", "0"],
        env={**given, "FLOORHOUSE_DATA_DIR": str(data_dir), "FLOORHOUSE_INTAKE_ALLOW_WITHOUT_KEY": "yes"},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        address = re.search(r"http://127\.0\.0\.1:(\d+)/", process.stdout.readline())
        if address is None:
            raise RuntimeError("The intake did not start.")
        yield int(address[1])
    finally:
        process.terminate()
        process.wait(timeout=60)
