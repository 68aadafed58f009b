"""What a registry change recomputes, and the messages about it."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ingestion.landing.batch import land
from ingestion.warehouse import warehouse_lock
from orchestration.commands.verify import verify
from orchestration.dbt.runner import build_models
from orchestration.publish import publish_build
from tests.plant import NOW, Plant

pytestmark = pytest.mark.usefixtures("_without_data_tests")

DAYS = ("2026-01-05", "2026-01-17", "2026-02-10")
SHIFTS = "site_id,shift_id,start_local,duration_minutes\n*,day,06:00,480\n*,evening,14:00,480\n*,night,22:00,480\n"
TARGETS = "site_id,workstation_id,shift_id,units_per_hour\ndefault,S1,*,60\n"


def events(*days: str) -> str:
    event = (
        '{"timestamp":"%sT%02d:30:00Z","worker_id":"W1","workstation_id":"S1","event_type":"working","confidence":0.9}'
    )
    return "".join(event % (day, hour) + "\n" for day in days for hour in range(6, 14))


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    """Three days of one worker, with shifts and targets for the station."""
    plant = Plant(tmp_path)
    plant.drop("registry/shifts.csv", SHIFTS)
    plant.drop("registry/targets.csv", TARGETS)
    plant.drop("events/a.jsonl", events(*DAYS))
    batch(plant)
    return plant


def batch(plant: Plant) -> list[str]:
    told: list[str] = []
    with warehouse_lock(plant.settings):
        land(plant.settings, NOW, told.append)
        build_models(plant.settings, log=told.append)
        publish_build(plant.settings)
    return [line for line in told if line.startswith("registry/")]


def newest_change(plant: Plant) -> dict[str, Any]:
    return plant.query("from warehouse.marts.registry_changes order by in_force_since, rowid", attach=True)[-1]


def differences(plant: Plant) -> list[str]:
    return [one.mart for one in verify(plant.settings) if not one.is_equal]


def day_targets(plant: Plant) -> dict[date, tuple[float | None, float | None]]:
    rows = [row for row in plant.mart("workstation_shifts") if row["shift_id"] == "day"]
    return {row["shift_date"]: (row["target_units"], row["attainment"]) for row in rows}


def test_a_changed_shift_is_logged_with_the_shifts_and_dates_it_recomputed(plant: Plant) -> None:
    assert {row["shift_dates_recomputed"] for row in plant.mart("registry_changes")} == {0}
    plant.drop("registry/shifts.csv", SHIFTS.replace("06:00", "07:00").replace("14:00", "15:00"))
    told = batch(plant)
    change = "Changed: day 06:00 → 07:00, evening 14:00 → 15:00"
    assert told[0] == f"registry/shifts.csv has a new version in force. {change}."
    assert told[1].startswith(f"registry/shifts.csv: {change}; ")
    assert told[1].endswith(" shift dates from 2026-01-04 to 2026-02-10 were computed again")
    newest = newest_change(plant)
    assert (newest["site_id"], newest["file"], newest["line_count"]) == ("*", "shifts.csv", 3)
    assert newest["change"] == f"{change}."
    assert newest["shift_dates_recomputed"] >= 3
    assert batch(plant) == []

    plant.drop("registry/cameras.csv", "site_id,camera_id,workstation_id,counts,states\ndefault,unknown,,yes,no\n")
    assert "cameras.csv" in batch(plant)[-1]
    newest = newest_change(plant)
    assert newest["file"] == "cameras.csv"
    assert newest["shift_dates_recomputed"] >= 3
    plant.drop("registry/baselines.csv", "site_id,working,idle,absent,product_count\n*,0.6,0.3,0.05,0.05\n")
    batch(plant)
    assert (newest_change(plant)["file"], newest_change(plant)["shift_dates_recomputed"]) == ("baselines.csv", 0)


def test_a_name_recomputes_the_dates_of_its_worker_alone(plant: Plant) -> None:
    plant.drop("events/b.jsonl", events("2026-02-11").replace("W1", "W2"))
    plant.drop("registry/workers.csv", "site_id,worker_id,name\n,W2,Ada\n")
    batch(plant)
    plant.drop("registry/workers.csv", "site_id,worker_id,name\n,W2,Eve\n")
    assert batch(plant)[-1] == (
        "registry/workers.csv: Changed: 1 worker renamed; 1 shifts of 1 shift dates from 2026-02-11 to 2026-02-11 "
        "were computed again"
    )
    assert newest_change(plant)["shift_dates_recomputed"] == 1


def test_targets_hold_on_their_weekdays(plant: Plant) -> None:
    assert day_targets(plant)[date(2026, 1, 17)] == (480, 0)  # a Saturday
    plant.drop(
        "registry/targets.csv",
        "site_id,workstation_id,shift_id,units_per_hour,weekdays\ndefault,S1,*,60,mon-fri\ndefault,S1,day,6,mon\n",
    )
    batch(plant)
    assert day_targets(plant) == {
        date(2026, 1, 5): (48, 0),
        date(2026, 1, 17): (None, None),
        date(2026, 2, 10): (480, 0),
    }
    assert date(2026, 1, 17) not in {row["shift_date"] for row in plant.mart("station_targets")}


def test_shifts_hold_on_their_weekdays(plant: Plant) -> None:
    plant.drop(
        "registry/shifts.csv",
        "site_id,shift_id,start_local,duration_minutes,weekdays\n*,day,06:00,480,mon-fri\n*,day,08:00,120,sat\n"
        "*,night,22:00,480,\n",
    )
    batch(plant)
    seconds = {(row["shift_date"], row["shift_id"]): row["scheduled_seconds"] for row in plant.mart("worker_shifts")}
    assert seconds[date(2026, 1, 5), "day"] == 28_800
    assert seconds[date(2026, 1, 17), "day"] == 7_200
    assert (date(2026, 1, 17), "unscheduled") in seconds


def test_closed_dates_have_no_target_and_all_else(plant: Plant) -> None:
    before = {name: plant.mart(name) for name in ("state_intervals", "worker_shifts", "shift_windows")}
    plant.drop(
        "registry/closures.csv",
        "site_id,from_date,to_date,reason\n*,2026-01-05,2026-01-05,Easter\nother,2026-02-10,2026-02-10,Fair\n"
        "default,2026-01-10,2026-01-17,Works holiday\n",
    )
    batch(plant)
    assert day_targets(plant) == {
        date(2026, 1, 5): (None, None),
        date(2026, 1, 17): (None, None),
        date(2026, 2, 10): (480, 0),
    }
    assert {name: plant.mart(name) for name in before} == before
    assert differences(plant) == []


def test_a_station_says_its_line(plant: Plant) -> None:
    plant.drop("registry/workstations.csv", "site_id,workstation_id,name,station_type,line\n,S1,Press,press,L1\n")
    batch(plant)
    assert [row["line"] for row in plant.raw("workstations")] == ["L1"]
