"""What a batch recomputes after a change."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import pytest

from floorhouse.program import main
from orchestration.commands.verify import verify
from orchestration.dbt import build_state
from orchestration.dbt.runner import build_models
from orchestration.publish import publish_build
from publishing import versions
from publishing.file_cuts import partitions
from tests.plant import Plant

EVENT = (
    '{"timestamp":"2026-%s:00Z","worker_id":"%s","workstation_id":"S%s","event_type":"%s","confidence":0.9,'
    '"site_id":"%s"}\n'
)
DAYS = [f"01-{day:02}" for day in range(5, 25)] + ["02-10", "02-11"]
SITES = "site_id,name,timezone\nnorth,North,Europe/Berlin\nsouth,South,UTC\n"
SHIFTS = "site_id,shift_id,start_local,duration_minutes,valid_from,valid_to\n"
OLD_SHIFTS = SHIFTS + "*,day,06:00,480,,\n*,late,14:00,600,,\n"
NEW_SHIFTS = SHIFTS + "north,day,06:00,480,,2026-01-20\nnorth,day,07:30,480,2026-01-21,\nnorth,late,14:00,600,,\n"
NEW_SHIFTS += "*,day,06:00,480,,\n*,late,14:00,600,,\n"
NAMES = "site_id,worker_id,name\nnorth,W1,%s\nnorth,W9,Never seen\n"


def history() -> Iterator[str]:
    for day in DAYS:
        for site in ("north", "south"):
            for worker in ("W1", "W2"):
                yield EVENT % (f"{day}T05:40", worker, 1, "working", site)
                yield EVENT % (f"{day}T06:10", worker, 2, "idle", site)
                yield EVENT % (f"{day}T15:20", worker, 1, "product_count", site)
                yield EVENT % (f"{day}T23:50", worker, 1, "working", site)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Plant:
    """Twenty days, a gap, and two more days, at two sites."""
    plant = Plant(tmp_path_factory.mktemp("built"))
    plant.drop("registry/sites.csv", SITES)
    plant.drop("registry/shifts.csv", OLD_SHIFTS)
    plant.drop("registry/workers.csv", NAMES % "First")
    plant.drop("events/history.jsonl", "".join(history()))
    plant.batch()
    return plant


@pytest.fixture
def plant(built: Plant, tmp_path: Path) -> Plant:
    """A separate copy of the built plant."""
    shutil.copytree(built.settings.data_dir, tmp_path / "plant", symlinks=True)
    return Plant(tmp_path / "plant")


pytestmark = pytest.mark.usefixtures("_without_data_tests")


def affected(plant: Plant, name: str) -> list[tuple[object, ...]]:
    return [tuple(row.values()) for row in plant.query(f"from warehouse.intermediate.int_affected_{name}", attach=True)]


def differences(plant: Plant) -> list[str]:
    return [one.mart for one in verify(plant.settings) if not one.is_equal]


def test_a_late_event_of_last_month_touches_its_window_and_the_one_in_which_its_state_may_go_on(plant: Plant) -> None:
    plant.drop("events/late.jsonl", EVENT % ("01-12T09:00", "W1", 1, "idle", "north"))
    plant.batch()
    assert sorted(affected(plant, "windows")) == [("north", date(2026, 1, 12), shift) for shift in ("day", "late")]
    # the state at six began after midnight, which is on the UTC date before
    assert sorted(affected(plant, "dates")) == [("north", date(2026, 1, day)) for day in (11, 12)]
    assert differences(plant) == []


def test_a_late_event_that_is_an_arrival_moves_a_whole_overlap_from_one_window_to_another(plant: Plant) -> None:
    overlap = "east,day,06:00,510,,\neast,late,14:00,480,,\n"
    plant.drop("registry/shifts.csv", OLD_SHIFTS + overlap)
    seen = [("13:55", "working"), ("14:10", "idle"), ("14:20", "product_count")]
    plant.drop("events/east.jsonl", "".join(EVENT % (f"01-12T{at}", "W1", 1, kind, "east") for at, kind in seen))
    plant.batch()

    def shown() -> dict[str, tuple[float, float, int]]:
        rows = [row for row in plant.mart("worker_shifts") if row["site_id"] == "east"]
        return {row["shift_id"]: (row["active_seconds"], row["idle_seconds"], row["units"]) for row in rows}

    assert shown() == {"day": (15 * 60, 0, 0), "late": (0, 40 * 60, 1)}
    plant.drop("events/late.jsonl", EVENT % ("01-12T09:45", "W1", 1, "working", "east"))
    plant.batch()
    assert shown() == {"day": (265 * 60, 20 * 60, 1)}
    assert differences(plant) == []


def test_a_calendar_that_changes_on_a_date_touches_the_shift_dates_from_then_on(plant: Plant) -> None:
    plant.drop("registry/shifts.csv", NEW_SHIFTS)
    plant.batch()
    windows = affected(plant, "windows")
    assert {site for site, _, _ in windows} == {"north"}
    # the late shift before the first new one now borders on other time, so its last states may change
    assert min(day for _, day, _ in windows) == date(2026, 1, 20)  # type: ignore[type-var]
    assert max(day for _, day, _ in windows) >= date(2026, 2, 11)  # type: ignore[type-var, operator]
    assert differences(plant) == []


def test_a_new_name_touches_the_rows_that_show_it_and_no_window(plant: Plant) -> None:
    plant.drop("registry/workers.csv", NAMES % "Another")
    plant.batch()
    assert affected(plant, "windows") == affected(plant, "dates") == affected(plant, "workstations") == []
    assert affected(plant, "workers") == [("north", "W1")]
    named = {(row["site_id"], row["worker_id"]): row["worker_name"] for row in plant.mart("worker_shifts")}
    assert (named["north", "W1"], named["south", "W1"]) == ("Another", "W1")
    assert differences(plant) == []


def test_a_changed_setting_computes_everything_again_and_says_why(plant: Plant) -> None:
    changed = Plant(plant.settings.data_dir, last_event_minutes=20)
    changed.land()
    said: list[str] = []
    build_models(changed.settings, log=said.append)
    assert said == ["everything is computed again: LAST_EVENT_MINUTES changed from 30 to 20"]


def test_a_rebuild_in_many_parts_gives_what_the_batches_gave(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    with duckdb.connect(plant.settings.warehouse_path) as connection:
        events = len(connection.execute("select 1 from raw.events").fetchall())
    monkeypatch.setattr(build_state, "EVENTS_PER_PART", events // 2)
    said: list[str] = []
    comparisons = verify(plant.settings, said.append)
    assert [one.mart for one in comparisons if not one.is_equal] == []
    assert sum(line.startswith("part ") for line in said) >= 2


def test_a_rebuild_leaves_no_table_of_a_model_that_is_no_more(plant: Plant) -> None:
    with duckdb.connect(plant.settings.warehouse_path) as connection:
        connection.execute("create table intermediate.int_of_an_older_release as select 'W1' as worker_id")
    Plant(plant.settings.data_dir, last_event_minutes=20).batch()
    with duckdb.connect(plant.settings.warehouse_path) as connection:
        found = connection.execute(
            "select table_name from duckdb_tables() where schema_name = 'intermediate'"
        ).fetchall()
    assert ("int_event_days",) in found
    assert ("int_of_an_older_release",) not in found


def test_a_row_that_no_rebuild_gives_is_found_and_said(
    plant: Plant, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with duckdb.connect(plant.settings.warehouse_path) as connection:
        connection.execute("update marts.site_shifts set units = units + 1 where shift_date = '2026-01-07'")
    monkeypatch.setenv("FLOORHOUSE_DATA_DIR", str(plant.settings.data_dir))
    assert main(["verify"]) == 1
    assert capsys.readouterr().err == "Not what a full rebuild gives: site_shifts.\n"


def test_a_large_mart_is_a_folder_of_which_a_batch_writes_what_changed(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(versions, "LARGEST_FILE_ROWS", 10)
    monkeypatch.setattr(versions, "partitions", lambda rows: partitions(rows, 10))
    whole = plant.mart("worker_shifts")
    plant.drop("events/first.jsonl", EVENT % ("01-12T09:00", "W3", 1, "idle", "north"))
    plant.batch()
    first = plant.settings.published_path.resolve() / "worker_shifts.parquet"
    assert len(list(first.iterdir())) == len(DAYS) + 2  # by day; the last event in the north is on the next day
    plant.drop("events/second.jsonl", EVENT % ("01-13T09:00", "W3", 1, "idle", "north"))
    plant.batch()
    second = plant.settings.published_path.resolve() / "worker_shifts.parquet"
    rewritten = [file.name for file in second.iterdir() if file.stat().st_ino != (first / file.name).stat().st_ino]
    assert rewritten == ["2026-01-13.parquet"]
    assert len(plant.mart("worker_shifts")) == len(whole) + 2
    assert plant.mart("worker_shifts") == plant.query("from warehouse.marts.worker_shifts order by all", attach=True)
    # A version that the warehouse does not know must not be compared with.
    unknown = second.parent.rename(second.parent.with_name("0-restored"))
    plant.settings.published_path.unlink()
    plant.settings.published_path.symlink_to(unknown)
    publish_build(plant.settings)
    third = plant.settings.published_path.resolve() / "worker_shifts.parquet"
    assert all(file.stat().st_nlink == 1 for file in third.iterdir())
