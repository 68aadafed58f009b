"""Damaged helper files: one sentence for each, and the next start repairs them."""

import json
import shutil
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from ingestion.errors import WarehouseError
from ingestion.warehouse import warehouse_lock
from orchestration.commands.verify import _compare, _keep_marts
from orchestration.dagster_home import sqlite_files
from orchestration.dagster_home.home import open_instance, prepare_home
from quality.alerts.deliver import deliver
from quality.alerts.settings import read_alert_settings
from tests.plant import Plant


@pytest.fixture(autouse=True)
def _environment_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOORHOUSE_DATA_DIR", "")
    monkeypatch.setenv("DAGSTER_HOME", "")


def test_damaged_records_are_set_aside_said_and_told_and_new_ones_begin(plant: Plant) -> None:
    with open_instance(prepare_home(plant.settings)) as instance:
        instance.get_run_records(limit=1)
    records = sorted(plant.settings.dagster_home.rglob("*.db"))
    assert len(records) >= 2
    while sqlite_files._held:  # as if the process had ended
        sqlite_files._held.popitem()[1].close()
    torn, noise = records[0], records[-1]
    content = torn.read_bytes()
    torn.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))  # the first page is intact
    noise.write_bytes(b"no database at all" * 100)
    for path in (torn, noise):
        path.with_name(f"{path.name}-wal").unlink(missing_ok=True)
    told: list[str] = []
    with open_instance(prepare_home(plant.settings, told.append)) as instance:
        assert instance.get_run_records(limit=1) == []
    (sentence,) = told
    assert "were damaged and lie in" in sentence
    kept = {path.name for path in (plant.settings.dagster_home / "damaged").rglob("*.db")}
    assert kept == {torn.name, noise.name}
    prepare_home(plant.settings, told.append)
    assert told == [sentence]
    deliver(plant.settings, read_alert_settings({}), datetime.now(UTC).timestamp())
    lines = plant.settings.alerts_path.read_text().splitlines()
    assert [line.split("\t")[2:4] for line in lines] == [["opened", "repairs"], ["closed", "repairs"]]
    assert sentence.split(" and lie in")[0] in lines[0]


def test_records_that_another_process_holds_are_left_alone(plant: Plant) -> None:
    home = prepare_home(plant.settings)
    path = home / "runs.db"
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("create table runs (id integer)")
    holder.execute("begin exclusive")
    told: list[str] = []
    prepare_home(plant.settings, told.append)
    holder.close()
    assert told == []
    assert path.exists()


def test_a_data_folder_that_is_removed_while_a_batch_writes_it_is_told_and_the_next_one_begins_anew(
    tmp_path: Path,
) -> None:
    plant = Plant(tmp_path / "data")
    told = pytest.raises(WarehouseError, match="was removed or replaced while a batch wrote it")
    with told, warehouse_lock(plant.settings):
        shutil.rmtree(plant.settings.data_dir)
    with told, warehouse_lock(plant.settings):
        shutil.rmtree(plant.settings.data_dir)
        with warehouse_lock(plant.settings):  # another process created it again
            pass
    plant.drop("events/a.jsonl", json.dumps({"x": 1}))
    assert plant.land().objects == 1


def test_a_path_with_an_apostrophe_is_compared_like_any_other(tmp_path: Path) -> None:
    folder = tmp_path / "it's ours"
    folder.mkdir()
    warehouse, live = folder / "warehouse.duckdb", folder / "live.duckdb"
    with duckdb.connect(warehouse) as connection:
        connection.execute("create schema marts; create table marts.sites as select 'a' as site_id")
    _keep_marts(warehouse, live)
    (comparison,) = _compare(warehouse, live)
    assert (comparison.mart, comparison.only_live, comparison.only_rebuilt) == ("sites", 0, 0)


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant = Plant(tmp_path / "data")

    def refuse(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "mkdir", refuse)
    for start in (lambda: prepare_home(plant.settings), lambda: warehouse_lock(plant.settings).__enter__()):
        with pytest.raises(WarehouseError, match=r"^The data folder .* cannot be written: Read-only file system\.$"):
            start()
    monkeypatch.undo()
    assert plant.land().objects == 0
