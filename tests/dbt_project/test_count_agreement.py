"""Counted beside booked units: the model's SQL against the naive rule, and what the interval's 95 % are worth."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from random import Random

import duckdb
import pyarrow as pa
import pytest

from tests.properties.comparison import mart_differences
from tests.reference.agreement import count_agreement, interval, verdict
from tests.reference.groups import Row
from tests.reference.plant import Registry

FIRST = date(2026, 1, 5)


def shifts_of_a_plant(random: Random, days_alike: float, spread: float, per_day: int) -> Iterator[tuple[int, int]]:
    """Counted and booked units without end, made as the rule does not suppose: days resemble the day before and share
    one effect among their shifts, some shifts are booked late, and counts spread more than chance alone would do.
    """
    effect = random.gauss(0, 1)
    moved = 0
    while True:
        effect = days_alike * effect + math.sqrt(1 - days_alike**2) * random.gauss(0, 1)
        for _ in range(per_day):
            made = round(random.gammavariate(9, 40)) + 30
            found = max(0.0, 0.97 + spread * effect + random.gauss(0, 0.01) + 0.02 * (random.random() < 0.1))
            late = round(made * 0.03) if random.random() < 0.2 else 0
            booked = made - late + moved
            moved = late
            yield round(made * found), booked


@pytest.mark.parametrize(
    ("days_alike", "spread", "per_day", "count", "least"),
    [
        (0.0, 0.005, 1, 20, 0.95),
        (0.0, 0.02, 3, 20, 0.93),
        (0.3, 0.01, 3, 20, 0.93),
        (0.5, 0.01, 1, 20, 0.93),
        (0.5, 0.01, 2, 20, 0.93),
        (0.5, 0.005, 3, 20, 0.93),
        (0.5, 0.01, 1, 12, 0.92),
    ],
)
def test_the_interval_holds_the_true_share_where_days_resemble_each_other(
    days_alike: float, spread: float, per_day: int, count: int, least: float
) -> None:
    random = Random(f"{days_alike} {spread} {per_day} {count}")
    true_share = 0.972  # what the plant above finds in the long run
    held = 0
    for _ in range(600):
        plant = shifts_of_a_plant(random, days_alike, spread, per_day)
        ends = interval(list(islice(plant, 5, 5 + count)))
        assert ends is not None
        held += ends[0] <= true_share <= ends[1]
    # 600 trials tell a share from one that is 2.5 points lower
    assert held / 600 >= least - 0.025


def test_daily_looks_at_a_station_that_counts_right_find_no_fault() -> None:
    random = Random(4)
    wrong = 0
    for _ in range(60):
        shifts: list[tuple[int, int]] = []
        for units, booked in islice(shifts_of_a_plant(random, 0.5, 0.01, 3), 120):
            shifts = [*shifts, (round(units / 0.972), booked)][-20:]
            if verdict(interval(shifts)) in ("counts too few", "counts too many"):
                wrong += 1
                break
    assert wrong <= 3


def test_a_station_that_misses_a_tenth_is_told_within_twenty_shifts() -> None:
    random = Random(5)
    told = 0
    for _ in range(100):
        shifts = [
            (round(units * 0.9 / 0.972), booked)
            for units, booked in islice(shifts_of_a_plant(random, 0.3, 0.01, 3), 20)
        ]
        told += verdict(interval(shifts)) == "counts too few"
    assert told >= 95


def test_a_few_units_without_a_miss_prove_nothing() -> None:
    assert verdict(interval([(3, 3)] * 20)) == "not yet known"
    assert verdict(interval([(30, 30)] * 20)) == "agrees"


def a_plant(random: Random) -> tuple[Registry, list[Row], list[Row]]:
    """Booked shifts of some weeks at stations that count well, badly and never, with gaps, and the whole site."""
    windows: list[Row] = []
    for day in range(random.randint(4, 20)):
        for number, shift_id in enumerate(("day", "late", "odd")):
            started_at = datetime.combine(FIRST + timedelta(days=day), datetime.min.time(), UTC)
            windows.append(
                {
                    "site_id": "A",
                    "shift_date": FIRST + timedelta(days=day),
                    "shift_id": shift_id,
                    "started_at": started_at + timedelta(hours=6 + 8 * min(number, 1)),  # two begin at once
                    "is_complete": random.random() < 0.95,
                }
            )
    registry = Registry(workstations={("A", "S1"): ("Press", "press")})
    stations: list[Row] = []
    for station, share, scale in (("S1", 1.0, 1), ("S2", 0.9, 1), ("S3", 1.2, 0), ("*", 1.0, 3), ("S4", 1.0, 10**6)):
        for window in windows:
            key = ("A", station, window["shift_date"], window["shift_id"])
            booked = random.randint(0, 300) * scale
            if random.random() < 0.9:
                registry.booked[key] = booked
            if station != "*" and random.random() < 0.95:
                units = round(booked * random.gauss(share, 0.01)) if scale else random.randint(0, 3)
                row = {name: window[name] for name in ("site_id", "shift_date", "shift_id")}
                stations.append({**row, "workstation_id": station, "units": max(units, 0)})
    registry.booked["A", "S1", FIRST, "no such shift"] = 5
    return registry, windows, stations


def tables_of(registry: Registry, windows: list[Row], stations: list[Row]) -> dict[str, list[Row]]:
    return {
        "stg_raw__booked": [
            {
                "site_id": site_id,
                "workstation_id": None if station == "*" else station,
                "shift_date": shift_date,
                "shift_id": shift_id,
                "booked_units": units,
            }
            for (site_id, station, shift_date, shift_id), units in registry.booked.items()
        ],
        "shift_windows": windows,
        "int_workstation_shift_history": stations,
        "stg_raw__workstations": [
            {"site_id": site_id, "workstation_id": station, "workstation_name": row[0]}
            for (site_id, station), row in registry.workstations.items()
        ],
    }


@pytest.mark.parametrize("seed", range(6))
def test_the_model_gives_the_rows_of_the_naive_rule_in_any_order_of_its_inputs(
    compiled: dict[str, str], seed: int
) -> None:
    random = Random(seed)
    registry, windows, stations = a_plant(random)
    sql = re.sub(r'(?:"?\w+"?\.)+"?(stg_raw__\w+|shift_windows|int_\w+)"?', r"\1", compiled["count_agreement"])
    found: list[list[Row]] = []
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        for _ in range(2):
            for name, rows in tables_of(registry, windows, stations).items():
                shuffled = random.sample(rows, len(rows))
                connection.register("given", pa.Table.from_pylist(shuffled))
                connection.execute(f"create or replace table {name} as from given")
            found.append(connection.sql(sql).to_arrow_table().to_pylist())
    expected = count_agreement(registry, windows, stations)

    assert mart_differences("count_agreement", found[0], expected) == []
    assert sorted(map(repr, found[0])) == sorted(map(repr, found[1]))
    assert {row["verdict"] for row in expected} >= {"not yet known"}
