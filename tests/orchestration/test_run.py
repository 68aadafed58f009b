from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from orchestration.dev import command
from orchestration.run import main
from tests.orchestration.conftest import FinishedBatch, drop_day
from tests.plant import Plant

PROJECT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(autouse=True)
def _environment_comes_back(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    # main() names Dagster's folder and the data folder in the environment, as a process of its own may.
    monkeypatch.setenv("FLOORHOUSE_DATA_DIR", str(plant.settings.data_dir))
    monkeypatch.setenv("DAGSTER_HOME", "")


def test_a_bad_setting_stops_before_anything_is_touched(
    plant: Plant, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FLOORHOUSE_LAST_EVENT_MINUTES", "soon")
    assert main([]) == 2
    [sentence] = capfd.readouterr().err.splitlines()
    assert sentence.startswith("FLOORHOUSE_LAST_EVENT_MINUTES is 'soon'; allowed is")
    assert not list(plant.settings.data_dir.iterdir())


def test_a_registry_that_cannot_be_right_stops_the_batch_with_one_sentence(
    plant: Plant, capfd: pytest.CaptureFixture[str]
) -> None:
    plant.drop("registry/sites.csv", "site_id,name,timezone\nnorth,North,Europe/Nowhere\n")
    plant.drop("events/day.jsonl", "{}")
    assert main(["--no-site"]) == 1
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
    link = os.readlink(finished.settings.published_path)
    plant.settings.published_path.symlink_to(link)
    with duckdb.connect(plant.settings.warehouse_path) as connection:
        connection.execute("alter table raw.events rename column confidence to certainty")
    assert main(["--no-site"]) == 1
    [sentence] = capfd.readouterr().err.splitlines()
    assert "stg_raw__events" in sentence
    assert os.readlink(plant.settings.published_path) == link


@pytest.mark.slow
def _steps(output: str) -> list[str]:
    """The steps that said something, in order."""
    said = [line.partition(" ")[0] for line in output.splitlines()]
    return [step for step in dict.fromkeys(said) if step not in ("", "batch", "Batch")]


def test_two_batches_at_once_both_end_well_one_after_the_other(plant: Plant) -> None:
    drop_day(plant.landing)
    command = [sys.executable, "-m", "orchestration.run", "--no-site"]
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
    assert shown == [["landing"], ["landing", "models", "publish", "checks"]]  # the second one found nothing changed
    assert plant.mart("worker_shifts")[0]["units"] == 145


def test_the_ui_listens_on_this_machine_alone() -> None:
    arguments = command(port=3999)
    assert arguments[arguments.index("--host") + 1] == "127.0.0.1"
    assert arguments[arguments.index("--port") + 1] == "3999"
