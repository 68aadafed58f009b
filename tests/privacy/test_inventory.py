"""The inventory of places, compared with the files that the program writes when every feature is on."""

import json
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from floorhouse.program import main
from ingestion.identity.pseudonyms import PATTERN
from ingestion.warehouse import open_warehouse, warehouse_lock
from orchestration.dbt import runner
from orchestration.deletions import finish_deletions, retain
from privacy.inventory import PLACES, Kind, kind_of, page_lines, place_of
from quality.retraining.step import operate_models
from tests.plant import WITHOUT_DATA_TESTS, Plant

WORKER, NAME, SITE = "Worker-17", "Jane Doe-Smith", "north"
KEY = "a key that is long enough for a plant"
SETTINGS: dict[str, Any] = {"review_fraction": 1.0, "retraining_every_days": 1, "min_group": 2}
NOW = datetime.now(UTC).replace(microsecond=0)


def event(minute: int, worker: str = WORKER, **fields: Any) -> str:
    at = (NOW - timedelta(days=20, minutes=minute)).isoformat()
    plain = {"workstation_id": "S3", "event_type": "working", "confidence": 0.5, "site_id": SITE, "model_name": "m"}
    return json.dumps({"timestamp": at, "worker_id": worker, **plain, **fields}) + "\n"


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    """A plant in which the id and the name of one person appear wherever cameras and administrators can put them."""
    plant = Plant(tmp_path_factory.mktemp("everything") / "it's" / "data", **SETTINGS)
    look_alike = WORKER.replace("-", "_")
    plant.drop("registry/workers.csv", f"site_id,worker_id,name\n{SITE},{WORKER},{NAME}\n{SITE},W2,Jim\n")
    records = [event(minute, worker) for minute in range(60) for worker in (WORKER, look_alike, "W2")]
    odd = event(1, confidence=NAME) + event(2, count=WORKER) + event(3, WORKER, **{NAME: 1}) + f"{WORKER} {NAME}\n"
    plant.drop("events/a.jsonl", "".join(records) + odd)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(runner, "BUILD", WITHOUT_DATA_TESTS)
        patched.setenv("DAGSTER_HOME", "")
        for name, value in {"DATA_DIR": plant.settings.data_dir, **SETTINGS}.items():
            patched.setenv(f"FLOORHOUSE_{name.upper()}", str(value))
        assert main(["run", "--no-site"]) == 0
        logs = plant.settings.data_dir / "logs" / "batch.log"
        logs.parent.mkdir(exist_ok=True)
        with open(logs, "a", encoding="utf-8") as file:
            file.write(f"{NOW.isoformat()} cannot read {WORKER} of {SITE}\n")
        yield plant


def written(plant: Plant) -> dict[str, bytes]:
    """Every file of the data folder by its path, except those of the bucket."""
    root = plant.settings.data_dir
    files = [path for path in root.rglob("*") if path.is_file() and not path.is_symlink()]
    return {
        path.relative_to(root).as_posix(): path.read_bytes() for path in files if not path.is_relative_to(plant.landing)
    }


def naming(plant: Plant) -> set[str]:
    return {path for path, content in written(plant).items() if WORKER.encode() in content or NAME.encode() in content}


def test_the_program_writes_to_no_place_that_is_not_in_the_inventory(plant: Plant) -> None:
    files = written(plant)
    assert [path for path in files if place_of(path) is None] == []
    assert {"outbox", "published-versions", "warehouse.duckdb", "dagster"} <= {path.split("/")[0] for path in files}
    told = {path for path in naming(plant) if kind_of(path) is Kind.NOBODY}
    assert told == set()
    assert any(path.startswith("outbox/review/") for path in naming(plant))


def test_the_page_about_privacy_has_the_inventory() -> None:
    page = (Path(__file__).parents[2] / "docs" / "privacy.md").read_text(encoding="utf-8")
    assert [line for line in page_lines() if line not in page] == []
    assert set(Kind) == {place.kind for place in PLACES}


def test_under_pseudonyms_no_place_but_the_bucket_has_the_person_and_none_is_resolved_from_the_outbox(
    plant: Plant, tmp_path: Path
) -> None:
    copy = tmp_path / "data"
    shutil.copytree(plant.settings.data_dir, copy, symlinks=True)
    hidden = Plant(copy, **SETTINGS, worker_identity="pseudonym", pseudonym_key=KEY)
    with warehouse_lock(hidden.settings):
        finish_deletions(hidden.settings, print)
    assert naming(hidden) == set()
    assert list((copy / "outbox" / "review").glob("*.jsonl")) == []
    (row,) = hidden.query("select distinct unexpected_fields from warehouse.raw.landed_objects", attach=True)
    assert row["unexpected_fields"] == ["(not shown)"]
    # The sample is drawn again, and the training set is made of the current keys.
    operate_models(hidden.settings, NOW)
    (drop,) = (copy / "outbox" / "review").glob("*.jsonl")
    workers = {json.loads(line)["worker_id"] for line in drop.read_text().splitlines()}
    assert len(workers) == 3
    assert all(re.fullmatch(PATTERN, worker) for worker in workers)


def test_retention_takes_the_sampled_events_and_the_lines_of_logs(plant: Plant, tmp_path: Path) -> None:
    copy = tmp_path / "data"
    shutil.copytree(plant.settings.data_dir, copy, symlinks=True)
    short = Plant(copy, **SETTINGS, retention_event_days=5, retention_person_days=5, retention_grace_days=0)
    old = copy / "alerts.log"
    old.write_text(f"2020-01-01T00:00:00+00:00\told {WORKER}\nand more\n{NOW.isoformat()}\tnew\n")
    with warehouse_lock(short.settings):
        retain(short.settings, NOW, print, is_clock_right=True)
    assert old.read_text() == f"{NOW.isoformat()}\tnew\n"
    assert list((copy / "outbox" / "review").glob("*.jsonl")) == []
    with open_warehouse(short.settings) as connection:
        assert connection.execute("select count(*) from raw.events").fetchone() == (0,)
