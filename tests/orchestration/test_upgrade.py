"""A warehouse of an earlier release is upgraded by this one."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest

from ingestion import migrations
from ingestion.errors import WarehouseError
from ingestion.warehouse import open_warehouse, warehouse_lock
from orchestration.deletions import purge
from tests.plant import Plant

OLD = Path(__file__).parent / "written_by_0_1_0"
# Texts that releases word differently; stored sentences stay.
REWORDED = {"rejected_records": {"detail"}}


@pytest.fixture
def old(tmp_path: Path) -> Plant:
    """A plant whose warehouse was written by version 0.1.0, with landed and archived objects."""
    plant = Plant(tmp_path / "old")
    shutil.copytree(OLD / "landing" / "registry", plant.landing / "registry")
    shutil.copytree(OLD / "landing" / "events", plant.landing / "archive" / "events")
    (plant.landing / "events").mkdir()
    with duckdb.connect(plant.settings.warehouse_path) as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute((OLD / "warehouse.sql").read_text())
    return plant


def layout(path: Path) -> set[tuple[object, ...]]:
    """Every column of the tables that a build does not recreate."""
    with duckdb.connect(path, read_only=True) as connection:
        rows = connection.execute(
            "select schema_name, table_name, column_name, data_type, is_nullable from duckdb_columns() "
            "where schema_name = 'raw' or table_name in "
            "('check_results', 'incidents', 'model_verdicts', 'retraining_requests')"
        ).fetchall()
    return set(rows)


def copy_of(plant: Plant) -> Path:
    return plant.settings.data_dir / "warehouse-before-2.duckdb"


def rows_of(plant: Plant, mart: str) -> list[dict[str, object]]:
    left_out = REWORDED.get(mart, set())
    return [{name: value for name, value in row.items() if name not in left_out} for row in plant.mart(mart)]


def test_the_marts_of_an_upgraded_warehouse_are_those_of_a_fresh_landing(old: Plant, tmp_path: Path) -> None:
    fresh = Plant(tmp_path / "fresh")
    shutil.copytree(OLD / "landing", fresh.landing)
    fresh.batch()
    old.batch()

    marts = sorted(path.stem for path in fresh.settings.published_path.glob("*.parquet"))
    assert len(marts) >= 20
    for mart in marts:
        assert rows_of(old, mart) == rows_of(fresh, mart), mart
    assert old.mart("worker_shifts")


def test_an_upgraded_warehouse_has_the_tables_of_a_new_one(old: Plant, tmp_path: Path) -> None:
    from quality import store
    from quality.retraining import tables as model_marts

    new = Plant(tmp_path / "new")
    new.land()
    for plant in (old, new):
        with open_warehouse(plant.settings) as connection:
            store.make_tables(connection)
            model_marts.make_tables(connection)

    assert layout(old.settings.warehouse_path) == layout(new.settings.warehouse_path)


def test_the_warehouse_is_copied_before_the_first_step_and_both_are_named(old: Plant) -> None:
    before = old.settings.warehouse_path.read_bytes()
    told: list[str] = []
    old.land(log=told.append)

    assert told[0] == (
        f"the warehouse is upgraded from schema version 1 to {migrations.NEWEST}; {copy_of(old)} is as it was"
    )
    assert copy_of(old).read_bytes() == before
    again: list[str] = []
    old.land(log=again.append)
    assert not any("upgraded" in line for line in again)


def test_a_step_that_fails_changes_nothing(old: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrations, "STEPS", (*migrations.STEPS, "drop table raw.events", "select nonsense"))
    monkeypatch.setattr(migrations, "NEWEST", migrations.NEWEST + 2)
    with pytest.raises(WarehouseError), open_warehouse(old.settings):
        pass
    monkeypatch.undo()

    assert len(old.query("from warehouse.raw.events", attach=True)) == 9
    old.land()


def test_without_room_for_the_copy_nothing_is_changed(old: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    before = old.settings.warehouse_path.read_bytes()

    def full(_: Path, arriving: Path) -> None:
        arriving.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(shutil, "copyfile", full)
        with pytest.raises(WarehouseError, match=r"cannot be copied before that \(No space left on device\)"):
            old.land()

    assert old.settings.warehouse_path.read_bytes() == before
    assert sorted(path.name for path in old.settings.data_dir.glob("warehouse*")) == [
        "warehouse.duckdb",
        "warehouse.lock",
    ]


def test_a_newer_warehouse_is_refused_in_one_sentence_and_left_alone(plant: Plant) -> None:
    plant.land()
    with duckdb.connect(plant.settings.warehouse_path) as connection:
        connection.execute("update raw.schema_version set version = version + 1")
    before = plant.settings.warehouse_path.read_bytes()
    versions = rf"schema version {migrations.NEWEST + 1}, this one knows {migrations.NEWEST}"
    with pytest.raises(WarehouseError, match=rf"duckdb was written by a newer Floorhouse \({versions}\); [^.]*\.$"):
        plant.land()

    assert plant.settings.warehouse_path.read_bytes() == before


def test_the_copy_goes_where_people_are_removed(old: Plant) -> None:
    old.batch()
    assert copy_of(old).exists()
    with warehouse_lock(old.settings):
        purge(old.settings, print)
    assert not copy_of(old).exists()
