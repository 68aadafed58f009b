"""A lost, older, damaged or foreign warehouse is reported before anything is landed or archived, and can be rebuilt."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from ingestion.bucket import open_landing_bucket
from ingestion.errors import WarehouseLostError
from ingestion.landing.continuity import ARCHIVED_STATE, STATE_NAME, require_whole_warehouse
from ingestion.landing.rebuild import rebuild_warehouse
from ingestion.warehouse import warehouse_lock
from tests.plant import EVENT, NOW, Plant


def require(plant: Plant) -> None:
    require_whole_warehouse(plant.settings, open_landing_bucket(plant.settings))


def line(worker: str, minute: int = 0) -> str:
    return json.dumps({**EVENT, "worker_id": worker, "timestamp": f"2026-01-15T10:{minute:02}:00Z"}) + "\n"


@pytest.fixture
def used(tmp_path: Path) -> Plant:
    """A plant that landed twice, archived its objects, and published."""
    plant = Plant(tmp_path / "plant")
    plant.drop("events/site_id=A/first.jsonl", line("W1") + "oops\n")
    plant.land(NOW)
    plant.drop("events/site_id=A/first.jsonl", line("W2", 5))
    plant.drop("events/site_id=A/camera_id=C 2/second.json.gz", gzip.compress(line("W3", 7).encode()))
    plant.land(NOW + timedelta(hours=1))
    return plant


def remove(plant: Plant, *_: object) -> None:
    plant.settings.warehouse_path.unlink()


def empty(plant: Plant, *_: object) -> None:
    plant.settings.warehouse_path.write_bytes(b"")


def garble(plant: Plant, *_: object) -> None:
    content = bytearray(plant.settings.warehouse_path.read_bytes())
    content[:4096] = b"\x5a" * 4096
    plant.settings.warehouse_path.write_bytes(bytes(content))


def lose_state(plant: Plant) -> None:
    (plant.settings.data_dir / STATE_NAME).unlink()


@pytest.mark.parametrize(
    ("harm", "fault"), [(remove, "missing or empty"), (empty, "missing or empty"), (garble, "damaged")]
)
@pytest.mark.parametrize("before", [lambda _: None, lose_state], ids=["with its state", "the bucket's state alone"])
def test_a_lost_warehouse_stops_the_batch_in_one_sentence(
    used: Plant, harm: Callable[[Plant], None], fault: str, before: Callable[[Plant], None]
) -> None:
    require(used)
    before(used)
    harm(used)
    with pytest.raises(WarehouseLostError, match=f"{fault}.*floorhouse rebuild") as raised:
        require(used)
    assert str(raised.value).count(". ") == 1


def test_an_archive_alone_is_evidence_enough(used: Plant) -> None:
    shutil.rmtree(used.landing / "archive/.warehouse-state.json", ignore_errors=True)
    (used.landing / ARCHIVED_STATE).unlink()
    lose_state(used)
    remove(used)
    with pytest.raises(WarehouseLostError, match="objects were landed before"):
        require(used)


def test_a_warehouse_from_before_the_last_landing_is_refused(used: Plant, tmp_path: Path) -> None:
    backup = tmp_path / "backup.duckdb"
    shutil.copyfile(used.settings.warehouse_path, backup)
    state = (used.settings.data_dir / STATE_NAME).read_bytes()
    used.drop("events/later.jsonl", line("W9", 30))
    used.land(NOW + timedelta(hours=2))
    shutil.copyfile(backup, used.settings.warehouse_path)
    (used.settings.data_dir / STATE_NAME).write_bytes(state)  # as if the whole data folder came from the backup
    with pytest.raises(WarehouseLostError, match="older than what was published or archived"):
        require(used)


def test_the_warehouse_of_another_plant_is_refused(used: Plant, tmp_path: Path) -> None:
    other = Plant(tmp_path / "other")
    for number in range(9):
        other.drop(f"events/{number}.jsonl", line(f"W{number}"))
    other.land(NOW + timedelta(days=1))
    shutil.copyfile(other.settings.warehouse_path, used.settings.warehouse_path)
    with pytest.raises(WarehouseLostError, match="not the one that was used here last"):
        require(used)


def test_a_new_plant_and_one_that_was_killed_before_it_noted_its_state_go_on(tmp_path: Path, used: Plant) -> None:
    require(Plant(tmp_path / "new"))
    for path in (used.settings.data_dir / STATE_NAME, used.landing / ARCHIVED_STATE):
        path.write_text("{half")
    require(used)
    used.land(NOW + timedelta(hours=3))
    require(used)


@pytest.mark.parametrize("harm", [remove, garble])
def test_a_rebuild_gives_the_tables_that_were_lost(used: Plant, harm: Callable[[Plant], None]) -> None:
    used.batch(NOW + timedelta(hours=2))
    tables = {name: _rows(used, name) for name in ("events", "rejected_records", "landed_objects")}
    marts = {name: used.mart(name) for name in ("worker_shifts", "camera_days", "landed_objects", "rejected_records")}
    harm(used)
    said: list[str] = []
    with warehouse_lock(used.settings):
        report = rebuild_warehouse(used.settings, NOW + timedelta(days=1), said.append)
    assert (report.objects, report.dated, report.accepted, report.rejected) == (3, 3, 3, 1)
    assert said[0].startswith("3 archived objects will be landed again")
    require(used)
    assert {name: _rows(used, name) for name in tables} == tables
    used.drop("events/site_id=A/new.jsonl", line("W1"))  # content that has landed, under another name
    assert used.land(NOW + timedelta(days=1)).objects == 1
    used.landing.joinpath("events/site_id=A/first.jsonl").write_text(line("W2", 5))  # landed before, and sent again
    assert used.land(NOW + timedelta(days=1)).already_landed == 1
    assert marts.keys() == {name for name in marts if used.mart(name) == marts[name]}


def _rows(plant: Plant, table: str) -> list[tuple[object, ...]]:
    """A raw table's rows without the object's number, which depends on the order of landing."""
    with duckdb.connect() as connection:
        connection.execute(f"attach '{plant.settings.warehouse_path}' as warehouse (read_only)")
        return connection.execute(f"select * exclude (object_id) from warehouse.raw.{table} order by all").fetchall()


def test_a_rebuild_without_any_copy_of_the_manifest_takes_keys_and_times_from_the_archive(used: Plant) -> None:
    rows = _rows(used, "events")
    remove(used)
    said: list[str] = []
    with warehouse_lock(used.settings):
        report = rebuild_warehouse(used.settings, NOW + timedelta(days=365), said.append)
    assert (report.objects, report.dated) == (3, 0)
    assert any("no copy of the manifest" in sentence for sentence in said)
    assert _rows(used, "events") == rows
