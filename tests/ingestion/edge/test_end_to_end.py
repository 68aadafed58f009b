"""Cameras, uploader and landing together, with SIGKILLs in between: every acknowledged event lands exactly once."""

import json
import os
import random
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ingestion.edge import Spool
from ingestion.edge.status import read_status
from tests.ingestion.edge.gateway import SMALL_OBJECTS, Gateway
from tests.ingestion.edge.test_main import start
from tests.plant import Plant

EVENTS = 300
FIRST_AT = datetime(2026, 1, 15, 6, tzinfo=UTC)
FAST = {"RETRY_BASE_SECONDS": "0.02", "RETRY_MAX_SECONDS": "0.1", "OBJECT_MAX_AGE_SECONDS": "0.05"}
SMALL = {name.upper(): str(value) for name, value in SMALL_OBJECTS.items()} | {"OBJECT_MAX_BYTES": "4096"}


def event(camera: str, n: int) -> dict[str, object]:
    """The n-th event of a camera, different from all others."""
    at = FIRST_AT + timedelta(seconds=n)
    return {
        "timestamp": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "worker_id": f"W-{camera}",
        "workstation_id": "S1",
        "event_type": "working",
        "confidence": 0.9,
    }


def add_with_kills(gateway: Gateway, camera: str, chance: random.Random) -> set[int]:
    """Hand events to `add`, which is killed again and again, and send again what was not acknowledged.

    Returns the numbers of the events that were sent more than once.
    """
    sent, acknowledged, kills = Counter[int](), 0, 0
    while acknowledged < EVENTS:
        process = start(gateway, "add", "--camera", camera, **SMALL, **FAST)
        assert process.stdin
        assert process.stdout
        try:
            die_after = chance.randrange(10, 60) if kills < 6 else EVENTS
            for n in range(acknowledged, min(EVENTS, acknowledged + die_after)):
                sent[n] += 1
                process.stdin.write(json.dumps(event(camera, n)).encode() + b"\n")
                if chance.random() < 0.5:
                    process.stdin.flush()
            if kills < 6:
                process.stdin.flush()
                time.sleep(chance.random() * 0.3)
                process.kill()
                kills += 1
            output, _ = process.communicate(timeout=60)
        finally:
            process.kill()
            process.wait()
        acknowledged += max([0, *map(int, output.split())])
    assert kills == 6
    return {n for n, times in sent.items() if times > 1}


@pytest.mark.slow
def test_every_acknowledged_event_lands_exactly_once_whoever_is_killed(plant: Plant, tmp_path: Path) -> None:
    plant.land()  # creates the bucket
    assert plant.landing == tmp_path / "landing"
    gateway, chance = (
        Gateway(tmp_path, spool_dir=tmp_path / "edge", **SMALL_OBJECTS | {"object_max_bytes": 4096}),
        random.Random(7),
    )
    uploader = start(gateway, "run", **SMALL, **FAST)
    try:
        # C1 uses `add`, which is killed; C2 the Python API; C3 complete files. The uploader is killed meanwhile.
        sent_again = add_with_kills(gateway, "C1", chance)
        inbox = gateway.settings.inbox_dir / "camera_id=C3"
        inbox.mkdir(parents=True)
        uploader_kills = 0
        for n in range(0, EVENTS, 10):
            Spool(gateway.settings).append_many([event("C2", at) for at in range(n, n + 10)], camera_id="C2")
            unfinished = inbox / f".{n:04d}.jsonl"
            unfinished.write_text("".join(json.dumps(event("C3", at)) + "\n" for at in range(n, n + 10)))
            unfinished.rename(inbox / unfinished.name[1:])
            if n % 30 == 0:
                time.sleep(chance.random() * 0.4)
                uploader.kill()
                uploader.communicate(timeout=60)
                uploader_kills += 1
                if n % 90 == 0:
                    plant.land()  # also while the uploader is between the upload and the removal of an object
                uploader = start(gateway, "run", **SMALL, **FAST)
        assert uploader_kills == 10
        deadline = time.monotonic() + 30
        while not read_status(gateway.spool, FIRST_AT)["is_uploader_running"] and time.monotonic() < deadline:
            time.sleep(0.02)
        uploader.terminate()
        assert uploader.wait(60) == 0
    finally:
        uploader.kill()
        uploader.communicate()
    assert gateway.upload()
    report = plant.land()
    assert report.rejected == 0
    assert plant.raw("rejected_records") == []

    landed = Counter((row["worker_id"], row["event_at"]) for row in plant.raw("events"))
    expected = {
        (f"W-{camera}", FIRST_AT + timedelta(seconds=n)) for camera in ("C1", "C2", "C3") for n in range(EVENTS)
    }
    assert set(landed) == expected
    doubled = {row for row, count in landed.items() if count > 1}
    assert doubled <= {("W-C1", FIRST_AT + timedelta(seconds=n)) for n in sent_again}
    manifest = plant.raw("landed_objects")
    assert len({row["object_key"] for row in manifest}) == len(manifest)  # no key ever had two contents


def test_an_upload_whose_removal_was_lost_lands_once(plant: Plant, tmp_path: Path) -> None:
    plant.land()
    gateway = Gateway(tmp_path, spool_dir=tmp_path / "edge")
    gateway.spool.append_many([event("C1", n) for n in range(50)])
    gateway.uploader().seal_all()
    (sealed,) = gateway.settings.spool_dir.rglob("*.jsonl")
    kept = tmp_path / "kept"
    os.link(sealed, kept)
    for _ in range(3):
        assert gateway.upload()
        plant.land()
        os.link(kept, sealed)  # a power cut can restore the name like this
    assert len(plant.raw("events")) == 50
    assert len(plant.raw("landed_objects")) == 1
    assert {(row["site_id"], row["camera_id"]) for row in plant.raw("events")} == {("north", "C1")}
