"""An attacker with every file ever published under `aggregate` looks for figures of small groups.

There are three batches; after the last a week is complete. The attacker keeps the marts, metrics and checks' pages of
each, looks for secret figures as they are, subtracts any two of one kind, and solves the published sums for the missing
cells.
"""

from __future__ import annotations

import json
import re
import shutil
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import combinations
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from ingestion.settings import Settings
from ingestion.warehouse import open_warehouse, warehouse_lock
from orchestration.publish import publish_build
from quality.judge import judge
from quality.report import write_report
from quality.retraining.step import operate_models
from reports.metrics_api import publish_metrics
from reports.site import place_pages
from tests.plant import Plant
from tests.test_conventions import contract_columns

SMALLEST = 4
SHIFTS = "site_id,shift_id,start_local,duration_minutes,valid_from,valid_to\n*,day,06:00,480,,\n*,evening,14:00,480,,\n"
FIRST_DAY = datetime(2026, 1, 12, tzinfo=UTC)  # a Monday
BATCHES = ((0,), (1,), (2, 3, 4, 5, 6))  # the days that each lands; the week is complete after the last
LINES = {"S1": "front", "S2": "front", "S3": "back", "S4": "back"}
STATIONS = "site_id,workstation_id,name,station_type,line\n" + "".join(
    f",{station},{station},press,{line}\n" for station, line in LINES.items()
)
# Workers who are alone produce multiples of this number, which no sum of others is, so their figures are recognised.
ALONE = 100_003


def day_of_events(random: Random, day: datetime) -> Iterator[dict[str, Any]]:
    """Two shifts of ten workers at four stations, seen by three cameras. W0 is alone at S9 and before C9."""
    for shift, hour in enumerate((6, 14)):
        for number in range(shift, 10):
            station, camera = f"S{random.randint(1, 4)}", f"C{random.randint(1, 3)}"
            for minute in range(0, 480, 20):
                at = day + timedelta(hours=hour, minutes=minute, seconds=random.randint(0, 59))
                alone = number == 0 and minute < 200
                kind = random.choice(["working", "working", "idle", "product_count"])
                yield {
                    "timestamp": at.isoformat().replace("+00:00", "Z"),
                    "worker_id": f"W{number}",
                    "workstation_id": "S9" if alone else station,
                    "camera_id": "C9" if alone else camera,
                    "model_name": "eye",
                    "model_version": str(random.randint(1, 2)),
                    "event_type": kind,
                    "confidence": round(random.uniform(0.3, 0.99), 3),
                    **({"count": ALONE if alone else random.randint(1, 40)} if kind == "product_count" else {}),
                }


@dataclass
class Loot:
    """Everything that an attacker kept of each batch: the published folders, and the texts of the site."""

    versions: list[Path] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)


@dataclass
class Attacked:
    """A plant under `aggregate`, the same plant under names, and what an attacker kept of the first."""

    named: Plant
    loot: Loot

    def truth(self, sql: str) -> list[dict[str, Any]]:
        """Rows of the marts under names."""
        return self.named.query(
            re.sub(r"@(\w+)", lambda m: f"read_parquet('{self.named.settings.published_path / m[1]}.parquet')", sql)
        )

    def shown(self, version: Path, mart: str) -> list[dict[str, Any]]:
        """Rows of a published mart."""
        return self.named.query(f"from '{version / mart}.parquet'")


def publish(settings: Settings, now: datetime) -> None:
    with warehouse_lock(settings):
        with open_warehouse(settings) as connection:
            verdict = judge(connection, settings, now)
        write_report(settings.quality_path, verdict, settings.confidence_floor)
        operate_models(settings, now)
        publish_build(settings)


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Attacked:
    """The plant under attack after three batches."""
    root, loot = tmp_path_factory.mktemp("attacked"), Loot()
    plant = Plant(root / "aggregate", worker_identity="aggregate", min_group=SMALLEST)
    named = Plant(root / "named")
    for one in (plant, named):
        one.drop("registry/shifts.csv", SHIFTS)
        one.drop("registry/workstations.csv", STATIONS)
    random = Random(4)
    for number, days in enumerate(BATCHES):
        for day in (FIRST_DAY + timedelta(days=one) for one in days):
            by_camera: dict[str, list[str]] = defaultdict(list)
            for event in day_of_events(random, day):
                by_camera[event["camera_id"]].append(json.dumps(event))
            for camera, lines in by_camera.items():
                for one in (plant, named):
                    one.drop(f"events/camera_id={camera}/{day.date()}.jsonl", "\n".join(lines) + "\nnot a record\n")
        now = day + timedelta(days=1, hours=6)
        plant.batch(now)
        publish(plant.settings, now)
        site = plant.settings.site_path
        publish_metrics(plant.settings.published_path, site, is_about_persons=False)
        place_pages(None, site / "checks")
        shutil.copytree(plant.settings.published_path.resolve(), kept := root / f"kept-{number}")
        loot.versions.append(kept)
        loot.texts += [path.read_text() for path in site.rglob("*") if path.suffix in (".json", ".html")]
    named.batch(now)
    return Attacked(named, loot)


def numbers_of(attacked: Attacked) -> dict[str, set[float]]:
    """Every published number, by the name of its column, and the numbers in texts."""
    found: dict[str, set[float]] = defaultdict(set)
    for version in attacked.loot.versions:
        for path in version.glob("*.parquet"):
            for row in attacked.shown(version, path.stem):
                for name, value in row.items():
                    if isinstance(value, int | float) and not isinstance(value, bool):
                        found[name].add(float(value))
                    elif isinstance(value, str):
                        found["texts"] |= {float(one) for one in re.findall(r"\d+(?:\.\d+)?", value)}
    for text in attacked.loot.texts:
        found["texts"] |= {float(one.replace(",", "")) for one in re.findall(r"\d[\d,]*(?:\.\d+)?", text)}
    return found


def test_no_figure_of_one_person_is_published_or_follows_by_subtracting_two_of_a_kind(attacked: Attacked) -> None:
    alone = attacked.truth("select units from @worker_station_shifts where workstation_id = 'S9' and units > 0")
    secrets = {float(row["units"]) for row in alone}
    assert len(secrets) >= 2
    assert all(secret % ALONE == 0 for secret in secrets)  # no other sum is a multiple

    found = numbers_of(attacked)
    assert {name for name, values in found.items() if values & secrets} == set()
    for name in ("units", "productive_seconds", "event_count"):
        values = sorted(found[name])
        assert len(values) > 1
        differences = {larger - smaller for smaller, larger in combinations(values, 2)}
        assert not differences & secrets, name


def cells_of(row: dict[str, Any], cells: Iterable[tuple[date, str, str]]) -> set[tuple[date, str, str]]:
    """The stations' windows that a row of `coarser_figures` adds up."""
    return {
        (day, shift, station)
        for day, shift, station in cells
        if shift != "unscheduled"
        and row["shift_date"] in (None, day)
        and row["shift_id"] in (None, shift)
        and row["week_started_on"] in (None, day - timedelta(days=day.weekday()))
        and row["workstation_id"] in (None, station)
        and row["line"] in (None, LINES.get(station))
    }


def test_no_combination_of_coarser_and_finer_figures_is_about_fewer_people_than_the_limit(attacked: Attacked) -> None:
    at_station = attacked.truth(
        "select shift_date, shift_id, workstation_id, list(worker_id) as workers "
        "from @worker_station_shifts group by all"
    )
    people = {(row["shift_date"], row["shift_id"], row["workstation_id"]): set(row["workers"]) for row in at_station}
    truth = {
        (row["shift_date"], row["shift_id"], row["workstation_id"]): row
        for row in attacked.truth("from @workstation_shifts")
    }
    sums: set[frozenset[tuple[date, str, str]]] = set()
    kinds: dict[str, int] = defaultdict(int)
    for version in attacked.loot.versions:
        for row in attacked.shown(version, "site_shifts"):
            if row["units"] is not None:
                sums.add(frozenset(one for one in people if one[:2] == (row["shift_date"], row["shift_id"])))
        for row in attacked.shown(version, "workstation_shifts"):
            if row["units"] is not None:
                sums.add(frozenset({(row["shift_date"], row["shift_id"], row["workstation_id"])}))
        for row in attacked.shown(version, "coarser_figures"):
            kinds[row["cell"]] += 1
            members = cells_of(row, people)
            sums.add(frozenset(members))
            assert row["units"] == sum(truth[one]["units"] for one in members)
            assert row["working_seconds"] == pytest.approx(sum(truth[one]["working_seconds"] for one in members))
    assert set(kinds) == {"line_shift", "station_week", "line_week", "site_week"}
    cells = sorted({cell for one in sums for cell in one})
    matrix = np.array([[cell in one for cell in cells] for one in sums], dtype=float)
    rank = np.linalg.matrix_rank(matrix)
    for few in combinations(sorted(set().union(*people.values())), SMALLEST - 1):
        others = [place for place, cell in enumerate(cells) if not people[cell] <= set(few)]
        assert np.linalg.matrix_rank(matrix[:, others]) == rank, few


def solved(equations: list[tuple[set[Any], float]]) -> set[Any]:
    """The unknowns that a system of sums determines."""
    unknowns = sorted({one for members, _ in equations for one in members})
    places = {one: place for place, one in enumerate(unknowns)}
    matrix = np.zeros((len(equations), len(unknowns)))
    for row, (members, _) in enumerate(equations):
        for one in members:
            matrix[row, places[one]] = 1
    _, values, directions = np.linalg.svd(matrix, full_matrices=True)
    kernel = directions[(values > 1e-9).sum() :]
    return {one for one, place in places.items() if not kernel.size or np.abs(kernel[:, place]).max() < 1e-9}


@pytest.mark.parametrize("figure", ["units", "working_seconds"])
def test_no_station_of_a_few_people_can_be_solved_from_all_sums_over_windows_hours_and_days(
    attacked: Attacked, figure: str
) -> None:
    cells = attacked.truth(
        "select shift_date, shift_id, workstation_id, count(distinct worker_id) as workers "
        "from @worker_station_shifts group by all"
    )
    workers = {(row["shift_date"], row["shift_id"], row["workstation_id"]): row["workers"] for row in cells}
    small = {cell for cell, count in workers.items() if count < SMALLEST}
    total = "units" if figure == "units" else "productive_seconds"
    equations: list[tuple[set[Any], float]] = []
    for version in attacked.loot.versions:
        for row in attacked.shown(version, "site_shifts"):
            if row[total] is not None:
                of_window = {one for one in workers if one[:2] == (row["shift_date"], row["shift_id"])}
                equations.append((of_window, row[total]))
        for row in attacked.shown(version, "workstation_shifts"):
            if row[figure] is not None:
                cell = (row["shift_date"], row["shift_id"], row["workstation_id"])
                assert workers[cell] >= SMALLEST
                equations.append(({cell}, row[figure]))
        coarser = attacked.shown(version, "coarser_figures")
        equations += [(cells_of(row, workers), row[figure]) for row in coarser]
    assert small
    assert len(equations) > 6
    assert solved(equations) & small == set()


def test_no_camera_of_a_few_people_can_be_solved_from_all_counts_of_events(attacked: Attacked) -> None:
    rows = attacked.truth("select event_date, camera_id, model_version, event_count from @model_days")
    counts = {(row["event_date"], row["camera_id"], row["model_version"]): row["event_count"] for row in rows}
    small = {cell for cell in counts if cell[1] == "C9"}
    equations: list[tuple[set[Any], float]] = []

    def add(row: dict[str, Any], *names: str) -> None:
        if row.get("event_count") is None:
            return
        places = {"event_date": 0, "camera_id": 1, "model_version": 2}
        members = {cell for cell in counts if all(cell[places[name]] == row[name] for name in names)}
        equations.append((members, row["event_count"]))

    for version in attacked.loot.versions:
        for row in attacked.shown(version, "model_days"):
            add(row, "event_date", "camera_id", "model_version")
        for row in attacked.shown(version, "camera_days"):
            add(row, "event_date", "camera_id")
        for row in attacked.shown(version, "model_versions"):
            add(row, "camera_id", "model_version")
        for row in attacked.shown(version, "model_comparison"):
            add(row, "model_version")
        assert {row["camera_id"] for row in attacked.shown(version, "confidence_histograms")}.isdisjoint({"C9"})
        for row in attacked.shown(version, "landed_objects"):
            assert (row["accepted"], row["records"], row["bytes"]) == (None, None, None)
    assert small
    assert equations
    assert solved(equations) & small == set()


def test_programs_get_the_coarser_figures_and_nothing_else_besides(attacked: Attacked) -> None:
    version = attacked.loot.versions[-1]
    answers = [json.loads(text) for text in attacked.loot.texts if '"cell": "site_week"' in text]
    assert [len(answer) for answer in answers] == [len(attacked.shown(version, "coarser_figures"))]
    assert all(len(row) == 14 for row in answers[0])
    assert list(attacked.shown(version, "coarser_figures")[0]) == contract_columns("coarser_figures")


def test_a_days_metrics_that_lack_a_window_are_not_given_as_the_days(attacked: Attacked) -> None:
    answers = [json.loads(text) for text in attacked.loot.texts if text.startswith("[")]
    rows = [row for answer in answers for row in answer if "cell" not in row]
    assert rows
    version = attacked.loot.versions[-1]
    whole: dict[tuple[Any, str], list[Any]] = defaultdict(list)
    for row in attacked.shown(version, "workstation_shifts"):
        whole[row["shift_date"], row["workstation_id"]].append(row["units"])
    days = {station: [units for (_, one), units in whole.items() if one == station] for _, station in whole}
    for row in rows:
        if row["total_units_produced"] is not None:
            sums = [sum(units) for units in days[row["station_id"]] if None not in units]
            assert row["total_units_produced"] in sums


def test_sentences_of_checks_and_incidents_hold_no_figure(attacked: Attacked) -> None:
    for version in attacked.loot.versions:
        for mart in ("check_results", "incidents", "model_verdicts", "retraining_requests"):
            path = version / f"{mart}.parquet"
            assert path.is_file()
            for row in attacked.shown(version, mart):
                assert "figures are not shown" in row["sentence"]
                assert row.get("observed") is None


def test_what_is_left_is_useful(attacked: Attacked) -> None:
    version = attacked.loot.versions[-1]
    shifts = [row for row in attacked.shown(version, "site_shifts") if row["shift_id"] != "unscheduled"]
    stations = attacked.shown(version, "workstation_shifts")
    assert shifts
    assert all(row["units"] is not None for row in shifts)
    assert any(row["units"] is not None for row in stations)
