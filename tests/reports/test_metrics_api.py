"""The metrics API's files: shapes, days, ratios of sums, names of sites, and the files that a publication leaves."""

import json
import os
from collections.abc import Iterable
from datetime import date, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote

import duckdb
import pytest

from ingestion.errors import ReportError
from reports.metrics_api import publish_metrics
from reports.metrics_names import folder_name
from reports.responses import answer_for

WINDOWS = "site_id varchar, shift_date date, shift_id varchar, is_day_complete boolean"
WORKERS = (
    "site_id varchar, shift_date date, shift_id varchar, worker_id varchar, worker_name varchar, "
    "active_seconds double, idle_seconds double, present_seconds double, units bigint"
)
STATIONS = (
    "site_id varchar, shift_date date, shift_id varchar, workstation_id varchar, workstation_name varchar, "
    "station_type varchar, working_seconds double, occupancy_seconds double, units bigint"
)
ODD_SITES = ["../..", "a/b", 'quote"s', "it's", ".hidden", "..", "café", "50%", "x" * 64, "\U0001f3ed" * 64, " "]
Days = Iterable[tuple[str, str, bool]]


def write_marts(folder: Path, days: Days, workers: Any = (), stations: Any = ()) -> Path:
    """Published marts with the columns that matter. `days` are site, date and whether the date is complete."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = {
        "shift_windows": (WINDOWS, [(site, day, shift, done) for site, day, done in days for shift in ("a", "b")]),
        "worker_shifts": (WORKERS, workers),
        "workstation_shifts": (STATIONS, stations),
    }
    with duckdb.connect() as connection:
        for mart, (columns, values) in rows.items():
            connection.execute(f"create table {mart} ({columns})")
            for row in values:
                connection.execute(f"insert into {mart} values ({', '.join('?' * len(row))})", row)
            connection.execute(f"copy {mart} to '{folder / mart}.parquet'")
    return folder


def worker(site: str, day: str, shift: str, name: str, active: float, idle: float, units: int) -> tuple[Any, ...]:
    return site, day, shift, name, f"Person {name}", active, idle, active + idle, units


@pytest.fixture
def published(tmp_path: Path) -> Path:
    return write_marts(
        tmp_path / "version",
        [("north", "2026-01-14", True), ("north", "2026-01-15", True), ("north", "2026-01-16", False)],
        [
            worker("north", "2026-01-14", "a", "W1", 3600, 0, 7),
            # one worker in two windows of a day: 420.5 of 480 minutes, 145 units
            worker("north", "2026-01-15", "a", "W1", 25200, 1200, 100),
            worker("north", "2026-01-15", "b", "W1", 30, 2370, 45),
            worker("north", "2026-01-15", "a", "W2", 0, 0, 0),
            worker("north", "2026-01-16", "a", "W1", 60, 0, 1),
        ],
        [
            ("north", "2026-01-15", "a", "S1", "Press 1", "press", 1800, 3600, 60),
            ("north", "2026-01-15", "b", "S1", "Press 1", "press", 1800, 1800, 30),
            ("north", "2026-01-15", "b", "S2", "S2", None, 0, 0, 5),
        ],
    )


def answer(site: Path, name: str) -> Any:
    return json.loads((site / "api/metrics" / f"{name}.json").read_text(encoding="utf-8"))


def test_the_answers_have_the_shapes_and_figures_of_the_latest_complete_shift_day(
    published: Path, tmp_path: Path
) -> None:
    publish_metrics(published, tmp_path / "site")
    assert answer(tmp_path / "site", "workers") == [
        {
            "worker_id": "W1",
            "name": "Person W1",
            "total_active_time_minutes": 420.5,
            "total_idle_time_minutes": 59.5,
            "utilization_percentage": 87.6,
            "total_units_produced": 145,
            "units_per_hour": 20.7,
        },
        {
            "worker_id": "W2",
            "name": "Person W2",
            "total_active_time_minutes": 0.0,
            "total_idle_time_minutes": 0.0,
            "utilization_percentage": None,
            "total_units_produced": 0,
            "units_per_hour": None,
        },
    ]
    assert answer(tmp_path / "site", "workstations") == [
        {
            "station_id": "S1",
            "name": "Press 1",
            "type": "press",
            "occupancy_time_minutes": 90.0,
            "utilization_percentage": 66.7,
            "total_units_produced": 90,
            "throughput_per_hour": 60.0,
        },
        {
            "station_id": "S2",
            "name": "S2",
            "type": None,
            "occupancy_time_minutes": 0.0,
            "utilization_percentage": None,
            "total_units_produced": 5,
            "throughput_per_hour": None,
        },
    ]
    assert answer(tmp_path / "site", "factory") == {
        "total_productive_time_minutes": 420.5,
        "total_production_count": 145,
        "average_production_rate": 20.7,
        "average_utilization_percentage": 87.6,
        "total_workers": 2,
        "total_workstations": 2,
    }


def test_each_complete_day_has_answers_of_its_own_and_the_running_one_has_none(published: Path, tmp_path: Path) -> None:
    publish_metrics(published, tmp_path / "site")
    assert [row["total_units_produced"] for row in answer(tmp_path / "site", "workers/north/2026-01-14")] == [7]
    assert answer(tmp_path / "site", "workers/north/2026-01-15") == answer(tmp_path / "site", "workers")
    assert answer(tmp_path / "site", "factory/north/2026-01-14")["total_production_count"] == 7
    assert answer(tmp_path / "site", "workstations/north/2026-01-14") == []
    assert not (tmp_path / "site/api/metrics/workers/north/2026-01-16.json").exists()
    assert answer(tmp_path / "site", "index") == {
        "kinds": ["workers", "workstations", "factory"],
        "latest": {"shift_date": "2026-01-15", "site_ids": ["north"]},
        "sites": [{"site_id": "north", "folder": "north", "shift_dates": ["2026-01-14", "2026-01-15"]}],
    }


def test_the_latest_day_of_all_sites_is_complete_at_each_of_them(tmp_path: Path) -> None:
    days = [("north", "2026-01-15", True), ("south", "2026-01-14", True), ("south", "2026-01-15", False)]
    days += [("north", "2026-01-14", True)]
    workers = [
        worker("north", "2026-01-14", "a", "W1", 3600, 0, 10),
        worker("south", "2026-01-14", "a", "W1", 1800, 1800, 30),
        worker("north", "2026-01-15", "a", "W1", 60, 0, 1),
    ]
    publish_metrics(write_marts(tmp_path / "version", days, workers), tmp_path / "site")
    assert [row["total_units_produced"] for row in answer(tmp_path / "site", "workers")] == [10, 30]
    factory = answer(tmp_path / "site", "factory")
    assert (factory["total_workers"], factory["average_production_rate"]) == (2, 26.7)
    assert factory["average_utilization_percentage"] == 75.0  # each worker has equal weight
    assert answer(tmp_path / "site", "workers/north/2026-01-15")[0]["total_units_produced"] == 1


def test_a_site_shows_its_last_31_days(tmp_path: Path) -> None:
    days = [("north", (date(2026, 1, 1) + timedelta(days=number)).isoformat(), True) for number in range(40)]
    publish_metrics(write_marts(tmp_path / "version", days), tmp_path / "site")
    (site,) = answer(tmp_path / "site", "index")["sites"]
    assert site["shift_dates"] == [day for _, day, _ in days[-31:]]
    assert {path.stem for path in (tmp_path / "site/api/metrics/workers/north").iterdir()} == set(site["shift_dates"])


def test_before_any_day_is_complete_the_answers_are_empty(tmp_path: Path) -> None:
    publish_metrics(write_marts(tmp_path / "version", [("north", "2026-01-15", False)]), tmp_path / "site")
    assert answer(tmp_path / "site", "workers") == answer(tmp_path / "site", "workstations") == []
    assert answer(tmp_path / "site", "factory") == {
        "total_productive_time_minutes": 0.0,
        "total_production_count": 0,
        "average_production_rate": None,
        "average_utilization_percentage": None,
        "total_workers": 0,
        "total_workstations": 0,
    }


@pytest.mark.parametrize("site_id", ODD_SITES)
def test_a_site_of_any_name_has_its_answers_inside_the_api_and_under_its_encoded_address(
    site_id: str, tmp_path: Path
) -> None:
    workers = [worker(site_id, "2026-01-15", "a", 'W"1', 60, 0, 3)]
    site = tmp_path / "site"
    publish_metrics(write_marts(tmp_path / "version", [(site_id, "2026-01-15", True)], workers), site)
    (written,) = (site / "api/metrics/workers").glob("*/*")
    assert written.parent.parent == site / "api/metrics/workers"
    for address in (f"{quote(site_id, safe='')}/2026-01-15", f"{quote(folder_name(site_id), safe='')}/2026-01-15.json"):
        found = answer_for(site, f"/api/metrics/workers/{address}", {})
        assert found.file == written.resolve()
        assert found.headers["Content-Type"] == "application/json"
    assert json.loads(written.read_bytes())[0]["worker_id"] == 'W"1'


def test_no_two_sites_share_a_folder() -> None:
    sites = [*ODD_SITES, *(folder_name(site) for site in ODD_SITES), "~", "%7E", "X" * 64, "\U0001f3ed" * 63 + "x"]
    assert len({folder_name(site) for site in set(sites)}) == len(set(sites))
    assert all(len(folder_name(site).encode()) <= 255 for site in sites)


@pytest.mark.parametrize("path", ["/api/metrics/workers", "/api/metrics/workers/", "/api/metrics/workers.json?x=1"])
def test_the_server_answers_without_an_extension_and_other_servers_with_one(
    path: str, published: Path, tmp_path: Path
) -> None:
    publish_metrics(published, tmp_path / "site")
    found = answer_for(tmp_path / "site", path, {})
    assert (found.status, found.headers["Content-Type"]) == (HTTPStatus.OK, "application/json")


@pytest.mark.parametrize(
    "path",
    [
        "/api/metrics/workers/north",
        "/api/metrics/workers/north/2026-01-16",
        "/api/metrics/workers/../2026-01-15",
        "/api/metrics/managers",
        "/api/metrics/workers/%2e%2e%2f%2e%2e/2026-01-15",
    ],
)
def test_what_there_is_not_is_not_found(path: str, published: Path, tmp_path: Path) -> None:
    publish_metrics(published, tmp_path / "site")
    assert answer_for(tmp_path / "site", path, {}).status == HTTPStatus.NOT_FOUND


def test_what_did_not_change_is_not_written_again(published: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    assert publish_metrics(published, site).files == 10
    assert publish_metrics(published, site) == type(publish_metrics(published, site))()
    before = (site / "api/metrics/workers/north/2026-01-14.json").stat()
    days = [("north", "2026-01-14", True), ("north", "2026-01-15", True)]
    write_marts(published, days, [worker("north", "2026-01-14", "a", "W1", 3600, 0, 7)])
    report = publish_metrics(published, site)
    after = (site / "api/metrics/workers/north/2026-01-14.json").stat()
    assert 0 < report.files < 10
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert len(list((site / "api").glob(".metrics*"))) == 1  # nothing of the previous version is left


def test_a_publish_that_was_killed_shows_the_version_before_and_the_next_one_completes_it(
    published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site"
    publish_metrics(published, site)
    before = (site / "api/metrics/workers.json").read_bytes()
    write_marts(published, [("north", "2026-01-15", True)], [worker("north", "2026-01-15", "a", "W9", 60, 0, 1)])
    with monkeypatch.context() as killed:
        killed.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            publish_metrics(published, site)
    assert (site / "api/metrics/workers.json").read_bytes() == before
    publish_metrics(published, site)
    assert [row["worker_id"] for row in answer(site, "workers")] == ["W9"]
    assert len(list((site / "api").glob(".metrics*"))) == 1


def test_what_a_plant_does_not_publish_is_not_answered(published: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    publish_metrics(published, site)
    (published / "worker_shifts.parquet").unlink()
    publish_metrics(published, site)
    assert {path.name for path in (site / "api/metrics").iterdir()} == {
        "index.json",
        "workstations",
        "workstations.json",
    }
    (published / "shift_windows.parquet").unlink()
    publish_metrics(published, site)
    assert list((site / "api/metrics").iterdir()) == []


def test_a_mart_that_cannot_be_read_is_said_in_one_sentence(published: Path, tmp_path: Path) -> None:
    (published / "worker_shifts.parquet").write_text("no parquet")
    with pytest.raises(ReportError, match=r"^The metrics API cannot be made of the published marts: .*worker_shifts"):
        publish_metrics(published, tmp_path / "site")
