"""The truth about workers, shifts and output, without cameras."""

import csv
import io
from collections import defaultdict
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any

import pytest

from simulator import plan_fleet
from simulator.registry_files import registry_files
from simulator.windows import shift_windows
from tests.simulator.simulated import Simulated, hours

STATES = {"working", "idle", "absent"}


@pytest.fixture(scope="module")
def stays(small_plant: Simulated) -> dict[tuple[str, str], list[list[dict[str, Any]]]]:
    """The true states of every worker, cut into stays on site (a gap means that the worker went home)."""
    found: dict[tuple[str, str], list[list[dict[str, Any]]]] = defaultdict(list)
    rows = small_plant.truth("timeline")
    for row in sorted(rows, key=lambda one: (one["site_id"], one["worker_id"], one["started_at"])):
        own = found[row["site_id"], row["worker_id"]]
        if own and own[-1][-1]["ended_at"] == row["started_at"]:
            own[-1].append(row)
        else:
            own.append([row])
    return found


def test_the_states_of_a_worker_never_overlap_and_add_up_to_the_time_on_site(
    stays: dict[tuple[str, str], list[list[dict[str, Any]]]],
) -> None:
    for own in stays.values():
        assert all(row["ended_at"] > row["started_at"] for stay in own for row in stay)
        assert all(earlier[-1]["ended_at"] + hours(8) < later[0]["started_at"] for earlier, later in pairwise(own))
        for stay in own:
            on_site = stay[-1]["ended_at"] - stay[0]["started_at"]
            assert sum(((row["ended_at"] - row["started_at"]) for row in stay), hours(0)) == on_site
            assert hours(6.5) < on_site < hours(10.75)
            assert {row["state"] for row in stay} == STATES


def test_workers_come_with_their_shift_some_late_and_some_stay_longer(
    small_plant: Simulated, stays: dict[tuple[str, str], list[list[dict[str, Any]]]]
) -> None:
    windows = small_plant.truth("windows")
    late = overtime = 0
    for (site, _), own in stays.items():
        for stay in own:
            came, went = stay[0]["started_at"], stay[-1]["ended_at"]
            begun = [row for row in windows if row["site_id"] == site and row["started_at"] <= came]
            window = max(begun, key=lambda row: row["started_at"])
            assert came - window["started_at"] <= hours(0.75)
            assert went - window["ended_at"] <= hours(40 / 60)
            late += came - window["started_at"] >= hours(5 / 60)
            overtime += went > window["ended_at"]
    worked = sum(map(len, stays.values()))
    assert 0 < late < worked / 3
    assert 0 < overtime < worked / 4


def test_workers_change_stations_within_a_shift(stays: dict[tuple[str, str], list[list[dict[str, Any]]]]) -> None:
    stations = [len({row["workstation_id"] for row in stay}) for own in stays.values() for stay in own]
    assert min(stations) == 1
    assert max(stations) > 2


def test_units_are_made_while_the_worker_works_at_the_station_and_follow_its_rate(small_plant: Simulated) -> None:
    worked: dict[tuple[str, str, str], list[dict[str, Any]]] = defaultdict(list)
    seconds: dict[tuple[str, str], float] = defaultdict(float)
    for row in small_plant.truth("timeline"):
        if row["state"] == "working":
            worked[row["site_id"], row["worker_id"], row["workstation_id"]].append(row)
            seconds[row["site_id"], row["workstation_id"]] += (row["ended_at"] - row["started_at"]).total_seconds()
    made: dict[tuple[str, str], int] = defaultdict(int)
    for row in small_plant.truth("units"):
        made[row["site_id"], row["workstation_id"]] += row["units"]
        own = worked[row["site_id"], row["worker_id"], row["workstation_id"]]
        assert any(one["started_at"] <= row["made_at"] < one["ended_at"] for one in own)
    fleet = plan_fleet(sites=2, cameras=6, workers=18, seed=7)
    for site in fleet.sites:
        for station in site.stations:
            key = (site.site_id, station.workstation_id)
            # Workers' paces are between 82 and 112 percent. A part of a unit is lost when a worker moves on.
            assert 0.80 <= made[key] / (seconds[key] / 3600 * station.units_per_hour) <= 1.12


def test_a_night_shift_over_the_end_of_summer_time_lasts_its_elapsed_hours() -> None:
    (hamburg,) = plan_fleet(sites=1, cameras=1, workers=3, seed=7).sites
    windows = shift_windows(hamburg, date(2026, 10, 24), 2)
    nights = [shift.shift_id for shift in hamburg.shifts].index("night")
    (number,) = [
        number
        for number, (shift, day) in enumerate(zip(windows.shift, windows.shift_date.tolist(), strict=True))
        if shift == nights and day == date(2026, 10, 24)
    ]
    assert windows.started_ms[number] == _ms(datetime(2026, 10, 24, 20, tzinfo=UTC))  # 22:00 in summer time
    assert windows.ended_ms[number] == _ms(datetime(2026, 10, 25, 4, tzinfo=UTC))  # 05:00 in winter time
    # The clocks showed one hour twice, so the early shift at 06:00 starts an hour after the night shift ended.
    assert windows.started_ms[number + 1] == _ms(datetime(2026, 10, 25, 5, tzinfo=UTC))


def test_the_registry_lists_everyone_but_the_newest_colleague(
    small_plant: Simulated, events: list[dict[str, Any]]
) -> None:
    fleet = plan_fleet(sites=2, cameras=6, workers=18, seed=7)
    files = registry_files(fleet)
    registry = small_plant.arguments.landing / "registry"
    assert {path.name: path.read_text() for path in registry.iterdir()} == files
    listed = {(row["site_id"], row["worker_id"]) for row in csv.DictReader(io.StringIO(files["workers.csv"]))}
    seen = {(event["site_id"], event["worker_id"]) for event in events}
    assert seen - listed == {("hamburg", "W09"), ("chicago", "W09")}
    assert "chicago,day,06:00,600,," in files["shifts.csv"]
    assert "hamburg" not in files["shifts.csv"]


def test_cameras_workers_and_sites_are_all_there_however_they_divide() -> None:
    fleet = plan_fleet(sites=7, cameras=16, workers=25, seed=1)
    assert len({site.site_id for site in fleet.sites}) == 7
    assert sum(len(site.cameras) for site in fleet.sites) == 16
    assert sum(len(site.workers) for site in fleet.sites) == 25
    assert len({site.timezone for site in fleet.sites}) == 6
    for site in fleet.sites:
        assert {station.camera for station in site.stations} == set(range(len(site.cameras)))


def _ms(instant: datetime) -> int:
    return int(instant.timestamp() * 1000)
