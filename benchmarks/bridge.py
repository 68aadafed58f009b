"""Measures the bridge at a mosquitto, beside a client that only takes. All of them share the machine."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from benchmarks import events as made
from tests.brokers import Mosquitto, publish

Add = Callable[[str, str, str], None]

MESSAGES = 30_000
CAMERAS = 10
PER_SECOND = 5_000


def bridge(work: Path, add: Add) -> None:
    """Measure messages a second from the publisher to the acknowledgement, as fast as they go and at a steady rate."""
    source = work / "published.json"
    made.write_one_file(source, MESSAGES)
    payloads = source.read_bytes().splitlines()
    with Mosquitto(work / "mosquitto") as broker:
        alone = _client_that_only_takes(broker, payloads)
        for version in ("3.1.1", "5"):
            seconds = _bridge(work / f"bridge-{version}", broker, version, payloads, None)
            add(
                f"bridge: {MESSAGES:,} messages of {CAMERAS} cameras, MQTT {version}",
                f"{seconds:.1f}",
                f"{MESSAGES / seconds:,.0f} messages/s durable and acknowledged, {seconds / alone:.1f} × the time of a "
                "client that only takes (MQTT 3.1.1)",
            )
        seconds = _bridge(work / "bridge-steady", broker, "3.1.1", payloads, PER_SECOND)
        late = seconds - MESSAGES / PER_SECOND
        add(
            f"bridge: {PER_SECOND:,} messages/s published, MQTT 3.1.1",
            f"{seconds:.1f}",
            f"{MESSAGES / seconds:,.0f} messages/s durable; the last one {late:.2f} s after its time",
        )


def _messages(payloads: list[bytes]) -> Iterator[tuple[str, bytes]]:
    for number, payload in enumerate(payloads):
        yield f"plant/north/C{number % CAMERAS}/events", payload


def _client_that_only_takes(broker: Mosquitto, payloads: list[bytes]) -> float:
    """The seconds of a client in a process of its own that acknowledges at once and keeps nothing."""
    command = [sys.executable, "-m", "benchmarks.bridge", str(broker.port), str(len(payloads))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as client:
        assert client.stdout is not None
        if client.stdout.readline() != "subscribed\n":
            raise RuntimeError("The client that only takes did not start.")
        started = time.monotonic()
        publish(broker.port, _messages(payloads))
        client.stdout.readline()
        return time.monotonic() - started


def _bridge(work: Path, broker: Mosquitto, version: str, payloads: list[bytes], per_second: float | None) -> float:
    """The seconds of a bridge, which also uploads, until it has taken every message."""
    (work / "landing/events").mkdir(parents=True)
    environment = {
        "FLOORHOUSE_BRIDGE_BROKER_URL": broker.url,
        "FLOORHOUSE_BRIDGE_TOPICS": "plant/{site_id}/{camera_id}/events",
        "FLOORHOUSE_BRIDGE_CLIENT_ID": work.name,
        "FLOORHOUSE_BRIDGE_MQTT_VERSION": version,
        "FLOORHOUSE_EDGE_SPOOL_DIR": str(work / "spool"),
        "FLOORHOUSE_EDGE_TARGET_URL": (work / "landing").as_uri(),
        "FLOORHOUSE_EDGE_POLL_SECONDS": "0.05",
    }
    command = [sys.executable, "-m", "ingestion.bridge", "run"]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    try:
        _wait(work, process, "connections", 1)
        started = time.monotonic()
        publish(broker.port, _messages(payloads), per_second=per_second)
        _wait(work, process, "messages", len(payloads))
        return time.monotonic() - started
    finally:
        process.terminate()
        process.wait(timeout=60)


def _wait(work: Path, process: subprocess.Popen[bytes], what: str, count: int) -> None:
    while process.poll() is None:
        try:
            ledger = json.loads((work / "spool/bridge.json").read_text())
        except FileNotFoundError:
            ledger = {"connections": 0, "taken": {"messages": 0}}
        if {**ledger, **ledger["taken"]}[what] >= count:
            return
        time.sleep(0.05)
    raise RuntimeError("The bridge ended.")


def _only_take(port: int, count: int) -> None:
    """The client beside which the bridge is measured."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    is_done, left = threading.Event(), count

    def take(*_: object) -> None:
        nonlocal left
        left -= 1
        if not left:
            is_done.set()

    client.on_message = take
    client.on_subscribe = lambda *_: print("subscribed", flush=True)
    client.connect("127.0.0.1", port)
    client.subscribe("plant/#", qos=1)
    while not is_done.is_set():
        client.loop()
    client.disconnect()
    print("done", flush=True)


if __name__ == "__main__":
    _only_take(int(sys.argv[1]), int(sys.argv[2]))
