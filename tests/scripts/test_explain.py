"""A shift in which every rule occurs, and its explanation."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from floorhouse.program import main
from ingestion.warehouse import warehouse_lock
from scripts.explain import reading
from tests.plant import Plant

REGISTRY = {
    "registry/sites.csv": "site_id,name,timezone\nnorth,North,Europe/Berlin\n",
    # two windows that overlap from 13:00 on: a worker who came at 08:00 belongs to the early one until it ends
    "registry/shifts.csv": "site_id,shift_id,start_local,duration_minutes\n"
    "north,early,06:00,480\nnorth,late,13:00,480\n",
    "registry/workers.csv": "site_id,worker_id,name\nnorth,W1,Person One\n",
}


def record(at: str, event_type: str, station: str = "S1", **more: Any) -> str:
    event = {
        "timestamp": f"2026-01-15T{at}+01:00",
        "worker_id": "W1",
        "workstation_id": station,
        "event_type": event_type,
        "confidence": 0.9,
        "site_id": "north",
        "camera_id": "C1",
        "model_name": "eye",
        "model_version": "2",
    }
    return json.dumps(event | more) + "\n"


EARLY = "".join(
    [
        record("08:00:00", "working"),
        record("08:00:00", "working", confidence=0.7, camera_id="C2"),
        record("08:00:00", "working", model_version="1"),
        record("08:10:00", "idle", confidence=0.8),
        record("08:10:00", "working", "S2"),
        record("08:15:00", "product_count", "S2", count=4),
        record("08:15:00", "product_count", "S2", count=3),
        record("08:20:00", "absent", "S2"),
        record("12:30:00", "working", "S2"),
        record("12:50:00", "idle", "S2"),
    ]
)
LATE = "".join(
    [
        record("13:40:00", "working"),
        record("14:05:00", "idle"),
        record("20:50:00", "idle"),
        record("22:00:00", "working"),
    ]
)


@pytest.fixture(scope="module")
def computed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of the shift after two batches. A test gets a copy, because a batch takes seconds."""
    plant = Plant(tmp_path_factory.mktemp("computed") / "data", max_state_minutes=60)
    for key, text in {**REGISTRY, "events/early.jsonl": EARLY, "events/late.jsonl": LATE}.items():
        plant.drop(key, text)
    plant.batch()
    plant.drop("events/again.jsonl", record("08:00:00", "working"))
    plant.batch()
    return plant.settings.data_dir


@pytest.fixture
def explained(computed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plant:
    data_dir = shutil.copytree(computed, tmp_path / "data", symlinks=True)
    monkeypatch.setenv("FLOORHOUSE_DATA_DIR", str(data_dir))
    return Plant(data_dir, max_state_minutes=60)


def said(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> str:
    assert main(["explain", *arguments]) == status
    captured = capsys.readouterr()
    return captured.err if status else captured.out


def test_every_rule_is_shown_with_its_record_and_the_sums_are_those_of_the_mart(
    explained: Plant, capsys: pytest.CaptureFixture[str]
) -> None:
    early = said(capsys, "--worker", "W1", "--date", "2026-01-15", "--shift", "early")
    for part in (
        "Person One (W1), site north, 2026-01-15, shift early",
        "Window 2026-01-15 06:00 to 2026-01-15 14:00 (2026-01-15T05:00:00Z to 2026-01-15T13:00:00Z), 8:00:00 h.",
        "08:00:00 to 08:10:00 [2026-01-15T07:00:00Z to 2026-01-15T07:10:00Z]  working at S1, 0:10:00 h",
        "made by: events/early.jsonl, record 3, camera C1, model eye 1, confidence 0.9",
        "duplicate: events/early.jsonl, record 1, camera C1, model eye 2, confidence 0.9; does not count: equally ",
        "does not count: equally confident, and its model version 2 comes after 1",
        "does not count: less confident (0.7 < 0.9)",
        "duplicate: events/again.jsonl, record 1,",
        "idle at S1, 0:00:00 h\n      ended by: working at S2 at the same instant",
        "absent at S2, 1:00:00 h\n      ended by: no state lasts longer than 60 min (MAX_STATE_MINUTES)",
        "working at S1, 0:20:00 h\n      ended by: the end of the window; the worker was seen again within 30 min",
        "08:15:00 [2026-01-15T07:15:00Z]  4 at S2",
        "does not count: a smaller count (3 < 4)",
        "units = sum of the counts = 4",
    ):
        assert part in early, early
    (row,) = [row for row in explained.mart("worker_shifts") if row["shift_id"] == "early"]
    # 10 min at S1, 10 and 20 at S2, 20 at S1; idle from 12:50 to 13:40
    assert (row["active_seconds"], row["idle_seconds"]) == (3600.0, 3000.0)
    assert "active_seconds = sum of 4 working intervals = 3600\n" in early
    assert "utilization = active ÷ present = 3600 ÷ 6600 = 0.5455 (54.5%)" in early
    assert "shift_utilization = active ÷ scheduled = 3600 ÷ 28800 = 0.1250 (12.5%)" in early
    # 10 + 5 + 5 + 30 (the absence) + 20 + 30 + 20 up to the end of the window; W1 is seen again after it
    assert "coverage = observed ÷ scheduled = 7200 ÷ 28800 = 25.0%" in early
    assert "camera C1 on 2026-01-15 (UTC): heard" in early
    assert "records have landed" not in early


@pytest.mark.usefixtures("explained")
def test_a_state_that_the_window_ends_and_time_in_no_window_are_explained(capsys: pytest.CaptureFixture[str]) -> None:
    every = said(capsys, "--worker", "W1", "--date", "2026-01-15")
    assert every.count("STATES") == 3
    assert "idle at S1, 0:10:00 h\n      ended by: the end of the window; the worker was not seen again" in every
    assert "working at S1, 0:05:00 h\n      ended by: the worker's next state event, idle at S1" in every
    assert "made by: the same state of the window before; the worker was seen shortly before and after its end" in every
    assert "ended by: the last state in the window lasts 30 min (LAST_EVENT_MINUTES) from when" in every
    assert "Time in no shift window" in every
    assert "shift_utilization = active ÷ scheduled = 1800 ÷ no schedule = no value" in every


def test_records_that_landed_after_the_publish_are_said_to_have(
    explained: Plant, capsys: pytest.CaptureFixture[str]
) -> None:
    explained.drop("events/new.jsonl", record("08:05:00", "idle"))
    explained.land()
    told = said(capsys, "--worker", "W1", "--date", "2026-01-15", "--shift", "early")
    assert "The published row counts 8 events and the warehouse has 9 now" in told


@pytest.mark.usefixtures("explained")
def test_what_cannot_be_explained_is_said_in_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    on_the_day, later = ("--date", "2026-01-15"), ("--date", "2026-01-17", "--site", "north")
    for arguments, sentence in {
        (): "Which worker? For instance: make explain WORKER=W1 DATE=2026-01-15.",
        ("--worker", "W1", "--date", "15.1."): "DATE is '15.1.'; expected a shift date such as 2026-01-15.",
        ("--worker", "W'9", *on_the_day): 'No published shift names the worker "W\'9".',
        ("--worker", "W1", *later): "W1 has no published shift on 2026-01-17 at north; "
        "the nearest one is 2026-01-15, shift early, site north.",
    }.items():
        assert said(capsys, *arguments, status=1) == sentence + "\n"


def test_a_worker_of_two_sites_needs_the_site(explained: Plant, capsys: pytest.CaptureFixture[str]) -> None:
    explained.drop("events/south.jsonl", record("08:00:00", "working", site_id="south"))
    explained.batch()
    asked = ["--worker", "W1", "--date", "2026-01-15"]
    assert said(capsys, *asked, status=1) == ("W1 worked at north and south on 2026-01-15; add SITE=north, for one.\n")
    assert "site south" in said(capsys, *asked, "--site", "south")


def test_a_batch_that_is_writing_is_not_disturbed(
    explained: Plant, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "WAIT_SECONDS", 0)
    with warehouse_lock(explained.settings):
        sentence = said(capsys, "--worker", "W1", "--date", "2026-01-15", status=1)
    assert sentence.startswith("Another batch (process ")


def test_before_the_first_batch_there_is_nothing_to_explain(
    plant: Plant, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLOORHOUSE_DATA_DIR", str(plant.settings.data_dir))
    sentence = said(capsys, "--worker", "W1", "--date", "2026-01-15", status=1)
    assert "run a batch first." in sentence
