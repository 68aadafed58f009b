"""The step on a real warehouse: verdicts, requests with their folders, the files for reviewers."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ingestion.settings import Settings
from ingestion.warehouse import open_warehouse
from quality.retraining.step import Report, operate_models
from quality.retraining.training_set import write_training_set
from tests.plant import Plant
from tests.quality.retraining.reviewed_plant import NOW, SETTINGS, day_events, key_of, lines, make_plant


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Plant:
    return make_plant(tmp_path_factory.mktemp("built"))


@pytest.fixture
def plant(built: Plant, tmp_path: Path) -> Plant:
    """A copy of the built plant, which the test may change."""
    shutil.copytree(built.settings.data_dir, tmp_path / "plant", symlinks=True)
    return Plant(tmp_path / "plant", **SETTINGS)


def operate(plant: Plant, **settings: Any) -> Report:
    return operate_models(plant.settings.model_copy(update=settings), NOW)


def made(plant: Plant, table: str) -> list[dict[str, Any]]:
    return plant.query(f"from warehouse.marts.{table} order by all", attach=True)


def requests_folder(plant: Plant) -> Path:
    return plant.settings.outbox_path / "retraining"


def dropped(folder: Path) -> list[str]:
    """The keys in all files that reviewers can see, with repetitions."""
    return [
        json.loads(line)["event_key"] for path in sorted(folder.glob("[!.]*")) for line in path.read_text().splitlines()
    ]


def test_each_trigger_opens_one_request_with_its_evidence(plant: Plant) -> None:
    report = operate(plant)
    requests = made(plant, "retraining_requests")
    assert [(one["reason"], one["status"], one["model_version"]) for one in requests] == [
        ("accuracy", "open", "1"),
        ("confidence", "open", "1"),
    ]
    assert (report.opened, report.open_requests, report.closed) == (2, 2, 0)
    by_reason = {one["reason"]: one for one in requests}
    assert by_reason["confidence"]["observed"] == pytest.approx(0.8, abs=0.02)
    assert by_reason["confidence"]["threshold"] == 0.85
    assert by_reason["accuracy"]["observed"] < 0.9
    assert by_reason["accuracy"]["sample_size"] >= 100
    again = operate(plant)
    assert (again.opened, again.dropped_reviews) == (0, 0)
    assert made(plant, "retraining_requests") == requests


@pytest.mark.parametrize("reason", ["confidence", "accuracy"])
def test_a_trigger_that_is_switched_off_asks_for_nothing(plant: Plant, reason: str) -> None:
    off: dict[str, dict[str, Any]] = {
        "confidence": {"retraining_floor_days": 0},
        "accuracy": {"retraining_accuracy": 0.0},
    }
    operate(plant, **off[reason])
    assert {one["reason"] for one in made(plant, "retraining_requests")} == {"confidence", "accuracy"} - {reason}


def test_the_mix_and_the_schedule_ask_too(plant: Plant) -> None:
    operate(plant, retraining_mix_shift=0.01, retraining_every_days=3)
    assert {one["reason"] for one in made(plant, "retraining_requests")} == {
        "accuracy",
        "confidence",
        "event_mix",
        "schedule",
    }


def test_a_request_is_closed_by_a_new_version_and_its_row_stays(plant: Plant) -> None:
    operate(plant)
    plant.drop("events/new.jsonl", lines(day_events(5, "2", 0.95)))
    plant.batch(NOW)
    report = operate(plant)
    assert (report.closed, report.open_requests, report.opened) == (2, 0, 0)
    assert {(one["status"], one["closed_by_version"]) for one in made(plant, "retraining_requests")} == {
        ("closed", "2")
    }
    verdicts = {one["metric"]: one["verdict"] for one in made(plant, "model_verdicts")}
    assert verdicts == {"accuracy": "insufficient_data", "confidence": "insufficient_data"}


def test_a_manifest_tells_what_its_training_set_holds(plant: Plant) -> None:
    operate(plant)
    for request in made(plant, "retraining_requests"):
        folder = requests_folder(plant) / request["request_id"]
        assert request["manifest"] == f"outbox/retraining/{request['request_id']}/manifest.json"
        manifest = json.loads((folder / "manifest.json").read_text())
        path = folder / manifest["training_set"]["file"]
        rows = plant.query(f"from '{path}'")
        assert manifest["sentence"] == request["sentence"]
        assert manifest["training_set"]["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
        assert manifest["training_set"]["rows"] == len(rows)
        assert manifest["training_set"]["splits"] == Counter(row["split"] for row in rows)
        assert manifest["training_set"]["reasons"] == Counter(reason for row in rows for reason in row["reasons"])
        assert "worker_id" not in rows[0]


def is_held_out(event: dict[str, Any]) -> bool:
    """Whether the event's camera and day belong to the fifth that is held out."""
    days = (datetime.fromisoformat(event["timestamp"]) - datetime(1970, 1, 1, tzinfo=UTC)).days
    site, camera = event["site_id"], event["camera_id"]
    hashed = hashlib.md5(f"{len(site)}:{site}|{len(camera)}:{camera}|{days}".encode(), usedforsecurity=False)
    return int(hashed.hexdigest()[-8:], 16) < 0.2 * 16**8


def is_left_out(event: dict[str, Any], events: list[dict[str, Any]]) -> bool:
    """Whether a frame is near the midnight of a hold-out day, or another camera has its scene in the hold-out."""
    if is_held_out(event):
        at = datetime.fromisoformat(event["timestamp"])
        return {(at - timedelta(minutes=5)).date(), (at + timedelta(minutes=5)).date()} != {at.date()}
    scene = {name: event[name] for name in ("timestamp", "worker_id", "workstation_id")}
    return any(is_held_out(other) for other in events if scene.items() <= other.items())


def test_a_training_set_holds_labelled_events_and_hard_cases_and_nothing_else(plant: Plant) -> None:
    operate(plant)
    path = next(requests_folder(plant).glob("*/training_set.parquet"))
    rows = {(row["event_key"], row["camera_id"]): row for row in plant.query(f"from '{path}'")}
    truths = {one["event_key"]: one["true_event_type"] for one in plant.raw("labels")}
    events = [event for day in range(4) for event in day_events(day, "1", 0.8)]
    seen_twice = Counter((event["timestamp"], event["worker_id"]) for event in events)
    expected = {}
    for event in events:
        key = key_of(event)
        reasons = {
            "labelled": key in truths,
            "wrong_label": truths.get(key, event["event_type"]) != event["event_type"],
            "low_confidence": event["confidence"] < 0.6,
            "camera_disagreement": seen_twice[event["timestamp"], event["worker_id"]] > 1
            and any(
                other["timestamp"] == event["timestamp"] and other["event_type"] != event["event_type"]
                for other in events
            ),
        }
        if any(reasons.values()) and not is_left_out(event, events):
            expected[key, event["camera_id"]] = [reason for reason, holds in reasons.items() if holds]
    assert {place: row["reasons"] for place, row in rows.items()} == expected
    assert {reason for reasons in expected.values() for reason in reasons} == {
        "labelled",
        "wrong_label",
        "low_confidence",
        "camera_disagreement",
    }
    assert {key: row["true_event_type"] for (key, _), row in rows.items()} == {
        key: truths.get(key) for key, _ in expected
    }
    # one scene is on one side of the split, even if cameras report different things of it, which are different events
    sides: dict[Any, set[str]] = {}
    for row in rows.values():
        sides.setdefault((row["timestamp"], row["workstation_id"]), set()).add(row["split"])
    assert all(len(splits) == 1 for splits in sides.values())


def test_a_training_set_is_the_same_bytes_each_time(plant: Plant, tmp_path: Path) -> None:
    contents = []
    for name in "ab":
        with open_warehouse(plant.settings) as connection:
            write_training_set(connection, tmp_path / name, "A", "m", NOW)
        contents.append((tmp_path / name).read_bytes())
    assert contents[0] == contents[1]


def test_each_sampled_event_is_dropped_for_review_once_and_later_ones_in_a_file_of_their_own(plant: Plant) -> None:
    folder = plant.settings.outbox_path / "review"
    operate(plant)
    sample = {event["event_key"] for event in plant.mart("review_queue")}
    assert sorted(dropped(folder)) == sorted(sample)
    (path,) = folder.iterdir()
    line = json.loads(path.read_text().splitlines()[0])
    assert list(line)[:10] == list(plant.mart("review_queue")[0])
    assert line["event_type"] not in line["text"].split(" at ")[0]
    assert [option["id"] for option in line["options"]] == ["working", "idle", "absent", "product_count"]
    path.unlink()  # taken away
    larger = Plant(plant.settings.data_dir, **{**SETTINGS, "review_fraction": 0.4})
    larger.batch(NOW)
    operate(larger)
    later = dropped(folder)
    assert sorted([*later, *sample]) == sorted(event["event_key"] for event in larger.mart("review_queue"))


KILLED = """
import os, signal, sys
from pathlib import Path
from ingestion.settings import Settings
from quality.retraining import outbox
from quality.retraining import step
from quality.retraining import tables
from tests.quality.retraining.reviewed_plant import NOW, SETTINGS

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

moment, turn = sys.argv[2], int(sys.argv[3])
calls = 0

def at_turn(function):
    def wrapped(*arguments):
        global calls
        calls += 1
        if calls == turn and moment.startswith("before"):
            die()
        result = function(*arguments)
        if calls == turn:
            die()
        return result
    return wrapped

if moment == "while writing":
    step.write_training_set = at_turn(step.write_training_set)
elif moment.endswith("showing"):
    outbox.HandoverFolder._show = at_turn(outbox.HandoverFolder._show)
else:
    outbox.sync = at_turn(outbox.sync)
step.operate_models(Settings(data_dir=Path(sys.argv[1]), **SETTINGS), NOW)
"""


@pytest.mark.parametrize(
    ("moment", "turn"),
    [
        ("while writing", 1),
        ("while writing", 2),
        ("before showing", 1),
        ("before showing", 2),
        ("before showing", 3),
        ("after showing", 1),
        ("after showing", 3),
        ("before noting", 4),
        ("before noting", 9),
    ],
)
def test_a_batch_killed_at_any_moment_drops_nothing_twice_and_loses_nothing(
    plant: Plant, moment: str, turn: int
) -> None:
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(plant.settings.data_dir), moment, str(turn)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    taken = dropped(plant.settings.outbox_path / "review")
    for path in (plant.settings.outbox_path / "review").glob("[!.]*"):
        path.unlink()  # a labelling tool takes a file as soon as it sees it
    operate(plant)
    sample = {event["event_key"] for event in plant.mart("review_queue")}
    assert sorted([*taken, *dropped(plant.settings.outbox_path / "review")]) == sorted(sample)
    requests = made(plant, "retraining_requests")
    assert sorted(one["reason"] for one in requests) == ["accuracy", "confidence"]
    assert {path.name for path in requests_folder(plant).iterdir()} == {one["request_id"] for one in requests}
    for one in requests:
        folder = requests_folder(plant) / one["request_id"]
        manifest = json.loads((folder / "manifest.json").read_text())
        content = (folder / "training_set.parquet").read_bytes()
        assert manifest["training_set"]["sha256"] == hashlib.sha256(content).hexdigest()


def test_each_request_is_a_run_of_mlflow_once(plant: Plant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mlflow import MlflowClient

    store = (tmp_path / "runs").as_uri()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store)
    monkeypatch.delenv("MLFLOW_ALLOW_FILE_STORE", raising=False)
    assert operate(plant).tracked == 2
    assert operate(plant).tracked == 0
    client = MlflowClient(store)
    experiment = client.get_experiment_by_name("floorhouse-retraining")
    assert experiment is not None
    runs = {run.data.params["reason"]: run for run in client.search_runs([experiment.experiment_id])}
    assert runs.keys() == {"accuracy", "confidence"}
    run = runs["confidence"]
    assert run.info.status == "FINISHED"
    assert (run.data.params["site_id"], run.data.params["model_version"]) == ("A", "1")
    assert run.data.metrics["threshold"] == 0.85
    assert run.data.metrics["training_rows"] > 100
    assert [artifact.path for artifact in client.list_artifacts(run.info.run_id)] == ["manifest.json"]


def test_a_server_of_mlflow_that_is_gone_stops_no_batch(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    said: list[str] = []
    report = operate_models(plant.settings, NOW, said.append)
    assert (report.opened, report.tracked) == (2, 0)
    assert any("MLflow does not take" in line and "tries again" in line for line in said)


def test_a_plant_without_events_has_empty_tables(tmp_path: Path) -> None:
    plant = Plant(tmp_path)
    plant.batch(NOW)
    assert operate_models(Settings(data_dir=tmp_path), NOW) == Report(0, 0, 0, 0, 0, 0, 0)
    assert made(plant, "retraining_requests") == []


def test_the_tables_are_published_with_the_version(plant: Plant) -> None:
    operate(plant)
    from orchestration.publish import publish_build

    publish_build(plant.settings)
    with duckdb.connect() as connection:
        path = plant.settings.published_path / "retraining_requests.parquet"
        row = connection.execute(f"select count(*) from '{path}'").fetchone()
    assert row == (2,)
