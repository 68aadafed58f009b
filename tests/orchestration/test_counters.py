"""Readings of counters over batches: late, reset, excluded, erased, or too old to keep."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from ingestion.warehouse import open_warehouse, warehouse_lock
from orchestration.dbt.runner import build_models
from orchestration.deletions import erase_worker, retain
from tests.plant import NOW, Plant
from tests.reference.counters import units_of_readings

FIRST = datetime(2026, 1, 14, 9, tzinfo=UTC)
Reading = tuple[datetime, str, int]  # instant, station, total


def line(at: datetime, station: str, total: int) -> str:
    return json.dumps(
        {
            "timestamp": at.isoformat(),
            "worker_id": "W1",
            "workstation_id": station,
            "event_type": "product_count",
            "confidence": 0.9,
            "count_total": total,
        }
    )


def stored(plant: Plant) -> dict[tuple[str, datetime], int]:
    """The models' units by station and instant."""
    rows = plant.query("from warehouse.intermediate.int_counter_readings", attach=True)
    return {(row["workstation_id"], row["event_at"]): row["unit_count"] for row in rows}


def units_by_hour(plant: Plant) -> dict[tuple[str, datetime], int]:
    return {(row["workstation_id"], row["hour"]): row["units"] for row in plant.mart("hourly_output") if row["units"]}


def random_readings(random: Random, has_resets: bool) -> list[Reading]:
    readings = []
    for station in "ST":
        at, total = FIRST, random.randrange(1000)
        for _ in range(random.randrange(2, 25)):
            readings.append((at, station, total))
            at += timedelta(minutes=random.choice([1, 7, 30, 59, 60, 600]))
            total += random.choice([0, 1, 5, 40])
            if has_resets and random.random() < 0.3:
                total = random.choice([0, total // 2, total // 3, max(total - 5, 0)])
    return readings


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_readings_give_the_units_of_a_plain_reading_whatever_the_order_of_arrival(tmp_path: Path, seed: int) -> None:
    random = Random(seed)
    plant = Plant(tmp_path)
    readings = random_readings(random, has_resets=seed == 1)
    late = list(readings)
    random.shuffle(late)
    batches = [late[number::3] for number in range(3)]
    for number, batch in enumerate(batches):
        plant.drop(f"events/{number}.jsonl", "".join(line(*one) + "\n" for one in batch))
        plant.batch()
        so_far = [one for each in batches[: number + 1] for one in each]
        assert stored(plant) == units_of_readings(so_far)
    if seed == 2:  # without resets: last minus first
        for station in "ST":
            own = sorted(one for one in readings if one[1] == station)
            units = sum(row["units"] for row in plant.mart("workstation_shifts") if row["workstation_id"] == station)
            assert units == own[-1][2] - own[0][2]
    incremental = {
        name: plant.mart(name) for name in ("hourly_output", "workstation_shifts", "site_shifts", "model_days")
    }
    with open_warehouse(plant.settings) as connection:
        connection.execute("delete from build.state")
    build_models(plant.settings)
    plant.batch()
    assert {name: plant.mart(name) for name in incremental} == incremental
    if seed == 2:
        assert_no_unit_moves_when_readings_lose_their_worker_and_grow_old(plant, readings)


def assert_no_unit_moves_when_readings_lose_their_worker_and_grow_old(plant: Plant, readings: list[Reading]) -> None:
    units = units_by_hour(plant)
    with warehouse_lock(plant.settings):
        erase_worker(plant.settings, "default", "W1")
    plant.batch()
    assert {row["worker_id"] for row in plant.raw("events")} == {None}
    assert len(plant.raw("events")) == len(set(readings))
    assert units_by_hour(plant) == units

    horizon = FIRST.date() + timedelta(days=1)
    aged = Plant(plant.settings.data_dir, retention_event_days=(NOW.date() - horizon).days, retention_grace_days=0)
    with warehouse_lock(aged.settings):
        retain(aged.settings, NOW, lambda _: None)
    old = {station: [one for one in readings if one[1] == station and one[0].date() < horizon] for station in "ST"}
    kept = [row for row in aged.raw("events") if row["event_at"].date() < horizon]
    assert {row["workstation_id"] for row in kept} == {station for station, own in old.items() if own}
    assert all(row["count_total"] == max(old[row["workstation_id"]])[2] for row in kept)
    # Before the retention horizon, where figures are kept as they were.
    at, _, total = max(one for one in readings if one[1] == "S")
    aged.drop("events/new.jsonl", line(at + timedelta(days=2), "S", total + 3))
    aged.batch()
    now = units_by_hour(aged)
    assert {key: now[key] for key in units} == units
    assert sum(now.values()) == sum(units.values()) + 3
