from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from floorhouse.program import main
from ingestion.landing.rebuild import rebuild_warehouse
from ingestion.warehouse import warehouse_lock
from quality.alerts.batches import read_batches
from tests.orchestration.conftest import FinishedBatch, drop_day
from tests.plant import Plant

PROJECT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(autouse=True)
def _environment_comes_back(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    # main() sets the variables of Dagster's folder and the data folder, as it may in a separate process.
    monkeypatch.setenv("FLOORHOUSE_DATA_DIR", str(plant.settings.data_dir))
    monkeypatch.setenv("DAGSTER_HOME", "")


def test_a_bad_setting_stops_before_anything_is_touched(
    plant: Plant, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FLOORHOUSE_LAST_EVENT_MINUTES", "soon")
    assert main(["run"]) == 2
    [sentence] = capfd.readouterr().err.splitlines()
    assert sentence.startswith("FLOORHOUSE_LAST_EVENT_MINUTES is 'soon'; allowed:")
    assert not list(plant.settings.data_dir.iterdir())


def test_a_registry_that_cannot_be_right_stops_the_batch_with_one_sentence(
    plant: Plant, capfd: pytest.CaptureFixture[str]
) -> None:
    plant.drop("registry/sites.csv", "site_id,name,timezone\nnorth,North,Europe/Nowhere\n")
    plant.drop("events/day.jsonl", "{}")
    assert main(["run", "--no-site"]) == 1
    shown = capfd.readouterr()
    [sentence] = shown.err.splitlines()
    assert "registry/sites.csv" in sentence
    assert "Europe/Nowhere" in sentence
    assert "Traceback" not in shown.out
    assert "RegistryError" in (plant.settings.data_dir / "logs" / "batch.log").read_text()
    assert (plant.landing / "events" / "day.jsonl").exists()
    assert not plant.settings.published_path.exists()


def test_a_model_that_fails_leaves_what_was_published(
    plant: Plant, finished: FinishedBatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in ("warehouse.duckdb", "published-versions"):
        source = finished.settings.data_dir / name
        (shutil.copytree if source.is_dir() else shutil.copyfile)(source, plant.settings.data_dir / name)
    (plant.landing / "events").mkdir(parents=True)
    link = os.readlink(finished.settings.published_path)
    plant.settings.published_path.symlink_to(link)
    with duckdb.connect(plant.settings.warehouse_path) as connection:
        connection.execute("alter table raw.events rename column confidence to certainty")
    assert main(["run", "--no-site"]) == 1
    [sentence] = capfd.readouterr().err.splitlines()
    assert sentence.startswith("model int_event_dates failed: ")  # the first model that reads the column
    assert os.readlink(plant.settings.published_path) == link


def _steps(output: str) -> list[str]:
    """The steps that printed a line, in order."""
    said = [line.partition(" ")[0] for line in output.splitlines()]
    return [step for step in dict.fromkeys(said) if step not in ("", "batch", "Batch")]


@pytest.mark.slow
def test_two_batches_at_once_both_end_well_one_after_the_other(plant: Plant) -> None:
    drop_day(plant.landing)
    command = [sys.executable, "-m", "floorhouse", "run", "--no-site"]
    batches = [
        subprocess.Popen(
            command, cwd=PROJECT, env=dict(os.environ), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    outputs = [batch.communicate(timeout=200) for batch in batches]
    assert [batch.returncode for batch in batches] == [0, 0], outputs
    assert all("units        145" in output for output, _ in outputs)
    landed = sorted("1 landed, 1 of them by this batch" in output for output, _ in outputs)
    assert landed == [False, True]
    assert sum("waiting for another batch" in output for output, _ in outputs) <= 1
    shown = sorted(_steps(output) for output, _ in outputs)
    every_step = ["landing", "models", "judge", "retraining", "publish", "checks"]
    assert shown == [["landing"], every_step]  # the second batch found nothing changed
    assert plant.mart("worker_shifts")[0]["units"] == 145


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_full_disk_is_one_sentence_and_the_next_batch_completes_what_it_stopped(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("this machine lets nobody mount a small disk")
    try:
        (disk / "landing/events").mkdir(parents=True)
        lines = "".join(
            json.dumps(
                {
                    "timestamp": f"2026-01-{day:02}T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}Z",
                    "worker_id": f"W{second % 97}",
                    "workstation_id": "S1",
                    "event_type": "working",
                    "confidence": second % 1000 / 1000,
                }
            )
            + "\n"
            for day in range(1, 4)
            for second in range(86400)
        )
        (disk / "landing/events/days.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
        environment = {**os.environ, "FLOORHOUSE_DATA_DIR": str(disk)}
        command = [sys.executable, "-m", "floorhouse", "run", "--no-site"]
        stopped = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
        assert stopped.returncode == 1
        assert stopped.stderr == (
            f"The disk of {disk} is full; what was landed and published stays. "
            "Free some space and start the batch again.\n"
        )
        subprocess.run(["mount", "-o", "remount,size=400m", str(disk)], check=True)
        done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert "259,200 accepted" in done.stdout
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_lost_warehouse_stops_the_batch_is_reported_and_comes_back_by_a_rebuild(
    plant: Plant, capfd: pytest.CaptureFixture[str]
) -> None:
    drop_day(plant.landing)
    assert main(["run", "--no-site"]) == 0
    marts = {
        path.name: plant.query(f"from '{path}' order by all")
        for path in plant.settings.published_path.glob("*.parquet")
    }
    version = plant.settings.published_path.resolve()
    plant.settings.warehouse_path.unlink()
    plant.drop("events/new.jsonl", "{}")
    capfd.readouterr()

    assert main(["run", "--no-site"]) == 1
    [sentence] = capfd.readouterr().err.splitlines()
    assert "is missing or empty" in sentence
    assert "floorhouse rebuild" in sentence
    assert (plant.landing / "events/new.jsonl").exists()
    assert plant.settings.published_path.resolve() == version
    assert read_batches(plant.settings).sentence == sentence

    (plant.landing / "events/new.jsonl").unlink()
    with warehouse_lock(plant.settings):
        rebuild_warehouse(plant.settings, datetime.now(UTC), print)
    assert main(["run", "--no-site"]) == 0
    assert not read_batches(plant.settings).are_stopped
    again = {
        path.name: plant.query(f"from '{path}' order by all")
        for path in plant.settings.published_path.glob("*.parquet")
    }
    assert again == marts
