"""Counts of cameras: event ids, cameras that do not count, running totals, misspelt fields."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ingestion.warehouse import open_warehouse
from orchestration.dbt.runner import build_models
from orchestration.publish import publish_build
from quality.judge import judge
from tests.plant import EVENT, Plant

FIRST = datetime(2026, 1, 14, 10, tzinfo=UTC)
NOW = datetime(2026, 1, 16, tzinfo=UTC)


def lines(records: Iterable[dict[str, Any]]) -> str:
    return "".join(json.dumps({**EVENT, "workstation_id": "S1", **record}) + "\n" for record in records)


def count(second: float, **fields: Any) -> dict[str, Any]:
    at = FIRST + timedelta(seconds=second)
    return {"timestamp": at.isoformat(), "event_type": "product_count", **fields}


def state(minute: float, kind: str, **fields: Any) -> dict[str, Any]:
    return {"timestamp": (FIRST + timedelta(minutes=minute)).isoformat(), "event_type": kind, **fields}


def _at_random(seed: int, times: int, seconds: int) -> list[float]:
    """Instants at which a line makes something, without a rhythm."""
    return [tenth / 10 for tenth in sorted(random.Random(seed).sample(range(10 * seconds), times))]


# By site: the events sent, and the resulting units.
SITES: dict[str, tuple[list[dict[str, Any]], int]] = {
    "spelt": ([count(n, count=float(n % 3 + 1)) for n in range(240)], 480),
    "total-as-count": ([count(60 * n, count=n, camera_id="cum") for n in range(1, 61)], 1830),
    "total-that-begins-again": ([count(60 * n, count=n % 25 + 1, camera_id="cum") for n in range(60)], 705),
    "total": ([count(60 * n, count_total=n, camera_id="cum") for n in range(1, 61)], 59),
    "ids": ([count(n // 2, event_id=f"p{n}", camera_id="fast") for n in range(120)], 120),
    "no-ids": ([count(n // 2, camera_id="fast") for n in range(120)], 60),
    # Camera B sees what A sees, and its clock runs 0.2 s later; in the other sites nobody repeats anybody.
    "two-views": (
        [count(30 * n + late, camera_id=camera) for n in range(50) for camera, late in (("A", 0), ("B", 0.2))],
        100,
    ),
    "two-lines": (
        [
            count(each, camera_id=c, worker_id=c)
            for c, chance in (("A", 1), ("B", 2))
            for each in _at_random(chance, 400, 7200)
        ],
        800,
    ),
    "two-views-of-states": (
        [
            state(n + late / 60, kind, camera_id=camera, worker_id="W1")
            for n in range(60)
            for camera, kind, late in (("A", "working", 1), ("B", "idle", 0))
        ],
        0,
    ),
    "two-people": (
        [
            state(n + late / 60, "working", camera_id=c, worker_id=c)
            for n in range(60)
            for c, late in (("A", 1), ("B", 0))
        ],
        0,
    ),
    "quantity": ([count(n, quantity=5, camera_id="q") for n in range(60)], 60),
    # The first examples of the contract's rule, each at a different instant.
    "sums": (
        [
            *(count(0, event_id=own) for own in ("a", "b", "b", None, None)),
            *(
                count(10, event_id=own, count=units, confidence=sure)
                for own, units, sure in (("a", 2, 0.5), ("a", 1, 0.8), ("b", 4, 0.9))
            ),
            *(
                count(20, event_id=own, count=units, confidence=sure)
                for own, units, sure in (("a", 1, 0.8), ("b", 4, 0.9))
            ),
            count(20, count=9, confidence=0.95, camera_id="C2"),
        ],
        3 + 5 + 9,
    ),
    "hours": ([count(3600 * n, count_total=total) for n, total in ((0, 100), (1, 130), (2, 150))], 50),
    "beside": (
        [
            *(count(600 * n, count_total=total) for n, total in ((0, 100), (1, 107))),
            count(600, count=2),
            *(count(600 * n, count_total=total, camera_id="C2") for n, total in ((1, 50), (2, 51))),
        ],
        10,
    ),
    "resets": ([count(60 * n, count_total=total) for n, total in enumerate((100, 60, 25, 30))], 30),
    "two-machines": ([count(60 * n, count_total=total) for n, total in enumerate((1000, 950, 1001, 951, 1002))], 2),
}


# As a spreadsheet writes it, with a correction at the end, a station that nobody saw, and a shift that does not exist.
BOOKED = """sep=;\r
Site ID;Workstation ID;Shift-Date;Shift ID;Units\r
total;S1;2026-01-14;day;50,0\r
total;;2026-01-14;day;60\r
total;S9;2026-01-14;day;7\r
total;S1;2026-01-14;early;7\r
total;S1;2026-01-14;day;61,00\r
"""


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> tuple[Plant, list[str], list[dict[str, Any]]]:
    """A plant of all the sites, the messages of landing and judging in its batch, and the results of its checks."""
    plant = Plant(tmp_path_factory.mktemp("plant"))
    plant.drop("registry/booked.csv", BOOKED)
    plant.drop("registry/released.csv", "site_id,workstation_id,who\ntotal,S1,line lead\nids,,plant manager\n")
    for site, (records, _) in SITES.items():
        plant.drop(f"events/site_id={site}/day.jsonl", lines(records))
    said: list[str] = []
    plant.land(NOW, said.append)
    build_models(plant.settings)
    with open_warehouse(plant.settings) as connection:
        verdict = judge(connection, plant.settings, NOW)
    assert verdict.errors == []
    said += [incident.sentence for incident in verdict.opened]
    publish_build(plant.settings)
    bad = [
        {"site": one.cell.site_id, "camera": one.cell.camera_id, "metric": one.metric, "sentence": one.sentence}
        for one in verdict.results
        if one.is_evidence
    ]
    return plant, said, bad


def test_units_are_what_was_made(judged: tuple[Plant, list[str], list[dict[str, Any]]]) -> None:
    plant, _, _ = judged
    for mart in ("site_shifts", "workstation_shifts", "hourly_output"):
        units = dict.fromkeys(SITES, 0)
        for row in plant.mart(mart):
            units[row["site_id"]] += row["units"]
        assert units == {site: expected for site, (_, expected) in SITES.items()}, mart


def test_units_stand_beside_what_was_booked(judged: tuple[Plant, list[str], list[dict[str, Any]]]) -> None:
    plant, _, _ = judged
    rows = {row["workstation_id"]: row for row in plant.mart("count_agreement")}
    assert {
        station: (row["shift_id"], row["units"], row["booked_units"], row["difference"])
        for station, row in rows.items()
    } == {"S1": ("day", 59, 61, -2), None: ("day", 59, 60, -1), "S9": ("day", 0, 7, -7)}
    assert {(row["verdict"], row["shift_count"], row["shifts_needed"]) for row in rows.values()} == {
        ("not yet known", 1, 11)
    }
    released = {(row["site_id"], row["workstation_id"]): row["released_by"] for row in plant.mart("station_releases")}
    assert {place: role for place, role in released.items() if role} == {
        ("total", "S1"): "line lead",
        ("ids", "S1"): "plant manager",
    }
    assert len(released) == len(SITES)


def test_what_a_reading_counts_was_made_before_it(judged: tuple[Plant, list[str], list[dict[str, Any]]]) -> None:
    plant, _, _ = judged
    hours = {row["hour"].hour: row["units"] for row in plant.mart("hourly_output") if row["site_id"] == "hours"}
    assert {hour: units for hour, units in hours.items() if units} == {10: 30, 11: 20}


def test_a_camera_whose_count_never_falls_is_named(judged: tuple[Plant, list[str], list[dict[str, Any]]]) -> None:
    _, said, bad = judged
    named = [(one["site"], one["camera"]) for one in bad if one["metric"] == "running_total"]
    assert named == [("total-as-count", "cum"), ("total-that-begins-again", "cum")]
    assert [line for line in said if "running total" in line] == [
        f"Site {site}, camera cum: at 1 of its stations the counts rise through the day and hardly ever fall, as a "
        "running total does: count is what was made since the last report, and a counter's reading is count_total. "
        "Still open: 1 day since 2026-01-14."
        for site, _ in named
    ]


def test_a_counter_that_falls_and_one_that_jumps_are_named(
    judged: tuple[Plant, list[str], list[dict[str, Any]]],
) -> None:
    _, _, bad = judged
    assert {one["site"] for one in bad if one["metric"] in ("counter_falls", "counter_jumps")} <= {"two-machines"}


def test_two_cameras_that_report_one_scene_are_named_with_their_station_and_the_offset_of_their_clocks(
    judged: tuple[Plant, list[str], list[dict[str, Any]]],
) -> None:
    plant, said, bad = judged
    named = {one["site"]: one["sentence"] for one in bad if one["metric"] == "double_views"}
    assert named == {
        site: f"Site {site}, camera A: another camera reports what it reports: 100 % of the {kind} at station S1, by "
        f"camera B {offset}. Units count twice, and states depend on their order, until registry/cameras.csv says "
        "which camera counts at the station."
        for site, kind, offset in (
            ("two-views", "counts", "0.2 s later"),
            ("two-views-of-states", "states", "1.0 s earlier"),
        )
    }
    assert [line for line in said if line.startswith("Site two-views, camera A: another camera")]
    pairs = {row["site_id"]: row for row in plant.mart("camera_pairs") if row["site_id"].startswith("two-")}
    assert {site: row["near_duplicates"] for site, row in pairs.items() if site != "two-lines"} == {
        "two-views": 50,
        "two-views-of-states": 60,
        "two-people": 0,
    }
    # by chance, an event of one line has one of the other within 1.5 s in a sixth of the cases
    assert 30 < pairs["two-lines"]["chance_pairs"] < 100
    assert pairs["two-lines"]["near_duplicate_share"] < 0.1


def test_a_clock_that_is_too_coarse_for_its_line_is_named(
    judged: tuple[Plant, list[str], list[dict[str, Any]]],
) -> None:
    _, _, bad = judged
    assert [(one["site"], one["camera"], one["sentence"][:70]) for one in bad if one["metric"] == "coarse_clock"] == [
        ("no-ids", "fast", "Site no-ids, camera fast: 50% of its counts stand in one second with a")
    ]


def test_a_field_that_resembles_one_of_the_contract_is_named_in_the_batch(
    judged: tuple[Plant, list[str], list[dict[str, Any]]],
) -> None:
    _, said, _ = judged
    assert [line for line in said if "resembles" in line] == [
        "site quantity: camera q sent quantity, which resembles count and is not read; count was meant?"
    ]


def of_two(first: str, second: str, shift: float) -> list[dict[str, Any]]:
    """Two cameras that see one worker each minute from 06:00 to 09:59, the second a little later."""
    seen = [
        state(minute, kind, camera_id=camera)
        for minute in range(-240, 0)
        for camera, kind in (("A", first), ("B", second))
    ]
    late = [datetime.fromisoformat(one["timestamp"]) + timedelta(seconds=shift) for one in seen]
    return [
        {**one, "timestamp": at.isoformat()} if one["camera_id"] == "B" else one
        for one, at in zip(seen, late, strict=True)
    ]


def test_a_camera_that_does_not_count_takes_no_part_in_figures_and_keeps_its_own(tmp_path: Path) -> None:
    plant = Plant(tmp_path)
    pieces = [count(60 * n, camera_id="A") for n in range(50)] + [count(60 * n + 0.2, camera_id="B") for n in range(50)]
    plant.drop("events/site_id=pieces/a.jsonl", lines(pieces))
    plant.drop("events/site_id=states/a.jsonl", lines(of_two("working", "idle", 1)))
    plant.batch(NOW)
    before = {row["site_id"]: row for row in plant.mart("worker_shifts")}
    assert before["pieces"]["units"] == 100
    assert before["states"]["active_seconds"] == 240
    models = plant.mart("model_days")
    plant.drop(
        "registry/cameras.csv",
        "site_id,camera_id,workstation_id,counts,states\npieces,B,S1,no,yes\nstates,B,S1,,no\n",
    )
    plant.batch(NOW)
    after = {row["site_id"]: row for row in plant.mart("worker_shifts")}
    assert after["pieces"]["units"] == 50
    assert (after["states"]["active_seconds"], after["states"]["idle_seconds"]) == (16_140, 0)
    assert after["states"]["utilization"] == 1
    assert plant.mart("model_days") == models
