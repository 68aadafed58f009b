"""True marts have no error; falsified marts have the error that was put into them."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ingestion.errors import SettingsError
from simulator.distance_from_truth import WorstShift, main, measure_accuracy
from tests.simulator.simulated import Simulated

Row = dict[str, Any]


@pytest.fixture(scope="module")
def true_marts(small_plant: Simulated) -> dict[str, list[Row]]:
    """The two marts for perfect cameras, computed millisecond by millisecond."""
    windows = sorted(small_plant.truth("windows"), key=lambda row: row["started_at"])
    totals: dict[str, dict[tuple[Any, ...], Row]] = {"worker": {}, "workstation": {}}
    for row in small_plant.truth("timeline"):
        for window in windows:
            if window["site_id"] == row["site_id"]:
                inside = min(row["ended_at"], window["ended_at"]) - max(row["started_at"], window["started_at"])
                if inside.total_seconds() > 0:
                    for total in _totals(totals, row, window):
                        total[row["state"]] += inside.total_seconds()
    for row in small_plant.truth("units"):
        for window in windows:
            if window["site_id"] == row["site_id"] and window["started_at"] <= row["made_at"] < window["ended_at"]:
                for total in _totals(totals, row, window):
                    total["units"] += row["units"]
    return {
        "worker_shifts": [_published(row, "active_seconds") for row in totals["worker"].values()],
        "workstation_shifts": [_published(row, "working_seconds") for row in totals["workstation"].values()],
    }


def test_true_marts_have_no_error(small_plant: Simulated, true_marts: dict[str, list[Row]], tmp_path: Path) -> None:
    accuracy = measure_accuracy(small_plant.arguments.truth, _write(tmp_path, true_marts))
    for sites in (accuracy.workers, accuracy.workstations):
        assert [site.site_id for site in sites] == ["chicago", "hamburg", "all sites"]
        for site in sites:
            assert site.rows > 20
            assert (site.only_true, site.only_published) == (0, 0)
            errors = (site.utilization_error, site.utilization_bias, site.active_seconds_error, site.units_error)
            assert errors == pytest.approx((0, 0, 0, 0), abs=1e-6)
            assert site.units_total_error == 0
    assert accuracy.worst is not None
    assert accuracy.worst.published_active_seconds == pytest.approx(accuracy.worst.true_active_seconds)


def test_unscheduled_time_is_left_out(small_plant: Simulated, true_marts: dict[str, list[Row]], tmp_path: Path) -> None:
    extra = true_marts["worker_shifts"][0] | {"shift_id": "unscheduled", "units": 1000}
    marts = true_marts | {"worker_shifts": [*true_marts["worker_shifts"], extra]}
    accuracy = measure_accuracy(small_plant.arguments.truth, _write(tmp_path, marts))
    assert accuracy.workers[-1].only_published == 0
    assert accuracy.workers[-1].units_error == 0


def test_an_error_in_one_row_is_found_measured_and_named(
    small_plant: Simulated, true_marts: dict[str, list[Row]], tmp_path: Path
) -> None:
    wrong, *others = true_marts["worker_shifts"]
    spoiled = wrong | {
        "active_seconds": wrong["active_seconds"] + 600,
        "units": wrong["units"] - 50,
        "utilization": wrong["utilization"] - 0.2,
    }
    published = _write(tmp_path, true_marts | {"worker_shifts": [spoiled, *others]})
    accuracy = measure_accuracy(small_plant.arguments.truth, published)
    site = next(site for site in accuracy.workers if site.site_id == wrong["site_id"])
    own = sum(row["site_id"] == wrong["site_id"] for row in true_marts["worker_shifts"])
    assert site.rows == own
    assert site.active_seconds_error == pytest.approx(600 / own)
    assert site.active_seconds_bias == pytest.approx(600 / own)
    assert (site.units_error, site.units_bias) == pytest.approx((50 / own, -50 / own))
    assert (site.utilization_error, site.utilization_bias) == pytest.approx((0.2 / own, -0.2 / own))
    assert accuracy.worst is not None
    assert (accuracy.worst.worker_id, accuracy.worst.shift_id) == (wrong["worker_id"], wrong["shift_id"])
    assert accuracy.worst.published_active_seconds - accuracy.worst.true_active_seconds == pytest.approx(600)
    assert accuracy.worst.published_utilization == spoiled["utilization"]


def test_a_shift_that_only_one_side_knows_counts_in_full(
    small_plant: Simulated, true_marts: dict[str, list[Row]], tmp_path: Path
) -> None:
    unseen, *others = true_marts["worker_shifts"]
    invented = others[0] | {"worker_id": "W99", "active_seconds": 60.0, "units": 0}
    published = _write(tmp_path, true_marts | {"worker_shifts": [invented, *others]})
    together = measure_accuracy(small_plant.arguments.truth, published).workers[-1]
    assert (together.only_true, together.only_published) == (1, 1)
    assert together.active_seconds_error * together.rows == pytest.approx(unseen["active_seconds"] + 60)
    assert together.units_bias * together.rows == pytest.approx(-unseen["units"])


def test_the_command_prints_every_site_and_the_worst_shift(
    small_plant: Simulated, true_marts: dict[str, list[Row]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    published = _write(tmp_path, true_marts)
    assert main(["--truth", str(small_plant.arguments.truth), "--published", str(published)]) == 0
    said = capsys.readouterr().out
    assert said.count("hamburg: ") == said.count("chicago: ") == 2
    assert "utilization 0.00 points" in said
    assert "Worst worker shift: W" in said


def test_nothing_to_compare_is_said_in_one_sentence(
    small_plant: Simulated, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SettingsError, match=r"worker_shifts\.parquet does not exist"):
        measure_accuracy(small_plant.arguments.truth, tmp_path)
    assert main(["--truth", str(small_plant.arguments.truth), "--published", str(tmp_path)]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_where_windows_overlap_the_one_that_started_last_owns_the_truth(tmp_path: Path) -> None:
    # Clocks go forward: the night shift of eight elapsed hours ends at 07:00, the early shift starts at 06:00.
    # W1 works from 04:00 to 06:30 and is idle until 07:00: 2 h of work are the night's, the rest is the morning's.
    def at(hour: int, minute: int = 0) -> datetime:
        return datetime(2027, 3, 28, hour, minute, tzinfo=UTC)

    who = {"site_id": "north", "worker_id": "W1", "workstation_id": "S1"}
    night = {"site_id": "north", "shift_date": date(2027, 3, 27), "shift_id": "night"}
    early = {"site_id": "north", "shift_date": date(2027, 3, 28), "shift_id": "early"}
    _write(
        tmp_path,
        {
            "timeline": [
                who | {"state": "working", "started_at": at(4), "ended_at": at(6, 30)},
                who | {"state": "idle", "started_at": at(6, 30), "ended_at": at(7)},
            ],
            "units": [who | {"made_at": at(5, 59), "units": 3}, who | {"made_at": at(6), "units": 4}],
            "windows": [
                night | {"started_at": at(0), "ended_at": at(7)},
                early | {"started_at": at(6), "ended_at": at(14)},
            ],
            "worker_shifts": [
                night | {"worker_id": "W1", "active_seconds": 7200.0, "units": 3, "utilization": 1.0},
                early | {"worker_id": "W1", "active_seconds": 1860.0, "units": 5, "utilization": 0.75},
            ],
            "workstation_shifts": [
                night | {"workstation_id": "S1", "working_seconds": 7200.0, "units": 3, "utilization": 1.0},
            ],
        },
    )
    accuracy = measure_accuracy(tmp_path, tmp_path)
    workers, stations = accuracy.workers[0], accuracy.workstations[0]
    assert (workers.rows, workers.only_true, workers.only_published) == (2, 0, 0)
    assert (workers.active_seconds_error, workers.units_bias, workers.utilization_bias) == (30, 0.5, 0.125)
    assert workers.units_total_error == pytest.approx(1 / 7)
    assert accuracy.worst is not None
    assert accuracy.worst == WorstShift("north", "2027-03-28", "early", "W1", 1800, 1860, 0.5, 0.75)
    assert (stations.rows, stations.only_true, stations.active_seconds_bias) == (2, 1, -900)


def _totals(totals: dict[str, dict[tuple[Any, ...], Row]], row: Row, window: Row) -> list[Row]:
    """The rows of both marts that a piece of truth belongs to, created at its first use."""
    found = []
    for subject in ("worker", "workstation"):
        key = {name: window[name] for name in ("site_id", "shift_date", "shift_id")}
        key |= {f"{subject}_id": row[f"{subject}_id"]}
        start: Row = key | {"working": 0.0, "idle": 0.0, "absent": 0.0, "units": 0}
        found.append(totals[subject].setdefault(tuple(key.values()), start))
    return found


def _published(total: Row, active: str) -> Row:
    present = total["working"] + total["idle"]
    row = {name: value for name, value in total.items() if name not in ("working", "idle", "absent")}
    return row | {active: total["working"], "utilization": total["working"] / present if present else None}


def _write(folder: Path, marts: dict[str, list[Row]]) -> Path:
    for name, rows in marts.items():
        pq.write_table(pa.Table.from_pylist(rows), folder / f"{name}.parquet")
    return folder
