"""Suppression under `aggregate`: no figure of a small group is published or can be derived by subtraction."""

from collections import defaultdict
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.settings import Settings
from orchestration.declared_marts import all_marts
from publishing.suppression import published_rows

DECLARED = {mart.name: mart for mart in all_marts()}
AGGREGATE = Settings(worker_identity="aggregate", min_group=3)
MARTS = """
    create schema marts;
    create schema raw;
    create table marts.worker_station_shifts (
        site_id varchar, shift_date date, shift_id varchar, workstation_id varchar, worker_id varchar
    );
    create table marts.state_intervals (
        site_id varchar, shift_date date, shift_id varchar, workstation_id varchar, worker_id varchar,
        started_at timestamptz, ended_at timestamptz
    );
    create table raw.events (
        site_id varchar, event_at timestamptz, camera_id varchar, worker_id varchar, model_name varchar,
        model_version varchar
    );
"""


def made(visits: list[tuple[str, str, int]]) -> duckdb.DuckDBPyConnection:
    """A warehouse with one window and visits of workers to stations: station, worker, hour."""
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'")
    connection.execute(MARTS)
    for station, worker in sorted({(station, worker) for station, worker, _ in visits}):
        connection.execute(
            "insert into marts.worker_station_shifts values ('A', '2026-01-15', 'day', ?, ?)", [station, worker]
        )
    for station, worker, hour in visits:
        connection.execute(
            "insert into marts.state_intervals values ('A', '2026-01-15', 'day', ?, ?, $3::timestamptz, "
            "$3::timestamptz + interval 59 minutes)".replace("?", "$1", 1).replace("?", "$2", 1),
            [station, worker, f"2026-01-15 {hour:02d}:00:00Z"],
        )
        connection.execute(
            "insert into raw.events values ('A', $1::timestamptz, $2, $3, 'eye', '1')",
            [f"2026-01-15 {hour:02d}:00:00Z", f"camera {station}", worker],
        )
    connection.execute(
        """
        create table marts.workstation_shifts as
        select site_id, shift_date, shift_id, workstation_id, count(*) * 10 as units, count(*) as worker_count
        from marts.worker_station_shifts group by all;
        create table marts.hourly_output as
        select site_id, workstation_id, date_trunc('hour', started_at) as hour, shift_date, shift_id,
            count(*) as units, 5.0 as target_units, count(*) as cumulative_units, 1.0 as cumulative_gap
        from marts.state_intervals group by all;
        create table marts.site_shifts as
        select site_id, shift_date, shift_id, count(*) as units, count(distinct worker_id) as worker_count
        from marts.worker_station_shifts group by all;
        create table marts.model_days as
        select site_id, event_at::date as event_date, camera_id, model_name, model_version, count(*) as event_count
        from raw.events group by all;
        create table marts.rejected_records as select 'a' as object_key, 'Worker W1' as detail, '{}' as payload;
        """
    )
    return connection


def rows(connection: duckdb.DuckDBPyConnection, mart: str, how: Settings = AGGREGATE) -> list[dict[str, Any]]:
    result = connection.execute(f"{published_rows(connection, how, DECLARED[mart])} order by all")
    names = [column[0] for column in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def assert_no_small_remainder(
    hidden: dict[Any, bool], members: dict[Any, set[str]], smallest: int, total: set[str]
) -> None:
    """The cells left out are none, or were made by enough workers together, or are all cells."""
    left_out = {cell for cell, is_hidden in hidden.items() if is_hidden}
    together = set().union(*(members[cell] for cell in left_out)) if left_out else set()
    assert not left_out or len(together) >= smallest or together == total
    assert all(cell in left_out for cell in members if len(members[cell]) < smallest)


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 2**32 - 1), smallest=st.integers(2, 5))
def test_no_figure_is_about_a_small_group_and_none_follows_by_subtraction(seed: int, smallest: int) -> None:
    random = Random(seed)
    workers, stations = random.randint(1, 9), random.randint(1, 5)
    visits = sorted(
        {
            (f"S{random.randrange(stations)}", f"W{random.randrange(workers)}", random.randrange(6, 9))
            for _ in range(random.randint(1, 30))
        }
    )
    how = Settings(worker_identity="aggregate", min_group=smallest)
    with made(visits) as connection:
        everybody = {worker for _, worker, _ in visits}
        at_station: dict[str, set[str]] = defaultdict(set)
        in_hour: dict[tuple[str, int], set[str]] = defaultdict(set)
        for station, worker, hour in visits:
            at_station[station].add(worker)
            in_hour[station, hour].add(worker)

        (site,) = rows(connection, "site_shifts", how)
        assert (site["units"] is None) == (site["worker_count"] is None) == (len(everybody) < smallest)
        hidden = {row["workstation_id"]: row["units"] is None for row in rows(connection, "workstation_shifts", how)}
        assert_no_small_remainder(hidden, at_station, smallest, everybody)
        hours = rows(connection, "hourly_output", how)
        for station, is_hidden in hidden.items():
            of_station = {
                (station, row["hour"].hour): row["units"] is None for row in hours if row["workstation_id"] == station
            }
            if is_hidden:
                assert all(of_station.values())
            else:
                assert_no_small_remainder(
                    of_station,
                    {cell: found for cell, found in in_hour.items() if cell[0] == station},
                    smallest,
                    at_station[station],
                )
        for row in rows(connection, "model_days", how):
            assert (row["event_count"] is None) == (
                len(at_station[row["camera_id"].removeprefix("camera ")]) < smallest
            )
        if len(everybody) >= smallest and all(len(group) >= smallest for group in at_station.values()):
            assert not any(hidden.values())


VISITS = [("S1", f"W{n}", 8) for n in range(5)] + [("S2", "W9", 8)]


def test_names_and_plans_stay_beside_figures_that_do_not() -> None:
    with made(VISITS) as connection:
        small = rows(connection, "hourly_output")[-1]
    assert (small["workstation_id"], small["target_units"], small["units"]) == ("S2", 5.0, None)


def test_no_running_sum_gives_away_an_hour_that_is_left_out_between_two_that_are_not() -> None:
    with made(VISITS[:5]) as connection:
        hours = rows(connection, "hourly_output")
    assert any(row["units"] is not None for row in hours)
    assert {(row["cumulative_units"], row["cumulative_gap"]) for row in hours} == {(None, None)}


@pytest.mark.parametrize("mart", ["worker_station_shifts", "state_intervals"])
def test_rows_about_single_persons_are_left_out_and_their_columns_stay(mart: str, tmp_path: Path) -> None:
    with made(VISITS) as connection:
        assert rows(connection, mart) == []
        assert len(rows(connection, mart, Settings())) > 0
        path = tmp_path / "empty.parquet"
        connection.execute(f"copy ({published_rows(connection, AGGREGATE, DECLARED[mart])}) to '{path}'")
        assert "worker_id" in [name for name, *_ in connection.execute(f"describe from '{path}'").fetchall()]


def test_texts_of_rejected_records_are_not_shown() -> None:
    with made(VISITS) as connection:
        assert rows(connection, "rejected_records") == [{"object_key": "a", "detail": "not shown", "payload": None}]


def test_one_station_alone_is_never_left_out_if_a_total_reveals_it() -> None:
    with made(VISITS) as connection:
        assert [row["units"] for row in rows(connection, "workstation_shifts")] == [None, None]
        assert [row["units"] for row in rows(connection, "site_shifts")] == [6]
