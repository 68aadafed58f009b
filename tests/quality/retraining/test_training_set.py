"""The hold-out of a training set holds nothing that training has seen, whatever the cameras sent and when."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quality.retraining.training_set import write_training_set

AS_OF = datetime(2026, 3, 1, tzinfo=UTC)
Row = dict[str, Any]


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("create schema raw; create schema handover; set timezone = 'Asia/Kolkata'")
        connection.execute(
            "create table handover.int_labelled_events "
            "(site_id varchar, event_key varchar, true_event_type varchar, is_disputed boolean)"
        )
        yield connection


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sets")


def frames(random: Random, cameras: int, number: int) -> list[Row]:
    """Unsure events of some cameras, many of them seconds apart, near midnight, or of one scene."""
    instants = [AS_OF - timedelta(seconds=random.randint(0, 29 * 86_400)) for _ in range(number // 8)]
    instants += [AS_OF - timedelta(days=random.randint(1, 28), seconds=random.randint(-600, 600)) for _ in range(8)]
    return [
        {
            "site_id": "A",
            "worker_id": "W1",
            "workstation_id": random.choice(["S1", "S2"]),
            "camera_id": f"cam{random.randrange(cameras)}",
            "model_name": "m",
            "model_version": "1",
            "event_type": random.choice(["working", "idle"]),
            "confidence": 0.3,
            "event_at": random.choice(instants) + timedelta(seconds=random.choice([0, 0, 30, 290, 310])),
        }
        for _ in range(number)
    ]


def training_set(connection: duckdb.DuckDBPyConnection, events: list[Row], as_of: datetime, path: Path) -> list[Row]:
    connection.register("given", pa.Table.from_pylist(events))
    connection.execute("create or replace table raw.events as from given")
    write_training_set(connection, path, "A", "m", as_of)
    rows: list[Row] = connection.sql(f"from '{path}'").to_arrow_table().to_pylist()
    return rows


def by_frame(rows: list[Row]) -> dict[tuple[Any, ...], str]:
    return {(row["event_key"], row["camera_id"]): row["split"] for row in rows}


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), cameras=st.integers(1, 6), number=st.integers(8, 300))
def test_no_frame_of_the_hold_out_has_a_neighbour_in_training(
    connection: duckdb.DuckDBPyConnection,
    tmp_path_factory: pytest.TempPathFactory,
    seed: int,
    cameras: int,
    number: int,
) -> None:
    random = Random(seed)
    path = tmp_path_factory.getbasetemp() / "set.parquet"
    events = frames(random, cameras, number)
    rows = training_set(connection, events, AS_OF, path)

    held = [row for row in rows if row["split"] == "holdout"]
    trained = [row for row in rows if row["split"] == "train"]
    days: dict[tuple[Any, ...], set[str]] = {}
    for row in rows:
        days.setdefault((row["camera_id"], row["timestamp"].astimezone(UTC).date()), set()).add(row["split"])
    assert all(len(splits) == 1 for splits in days.values())
    near = [
        (one, other)
        for one in held
        for other in trained
        if one["camera_id"] == other["camera_id"] and abs(one["timestamp"] - other["timestamp"]) < timedelta(minutes=5)
    ]
    assert near == []
    scenes = [{(row["timestamp"], row["workstation_id"]) for row in part} for part in (held, trained)]
    assert scenes[0] & scenes[1] == set()

    # what a later set shares with this one has the same sides, and the order of arrival changes nothing
    later = by_frame(training_set(connection, events, AS_OF + timedelta(days=3), path))
    first = by_frame(rows)
    assert {frame: later[frame] for frame in later if frame in first} == {
        frame: first[frame] for frame in first if frame in later
    }
    assert by_frame(training_set(connection, random.sample(events, len(events)), AS_OF, path)) == first


def test_a_fifth_of_the_cameras_days_is_held_out(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    events = [
        {
            **frame,
            "camera_id": f"cam{number}",
            "event_at": AS_OF - timedelta(days=day, hours=12),
            "worker_id": str(number),
        }
        for number, frame in enumerate(frames(Random(1), 1, 40))
        for day in range(1, 29)
    ]
    rows = training_set(connection, events, AS_OF, tmp_path / "set.parquet")

    assert len(rows) == 40 * 28
    assert 0.17 < sum(row["split"] == "holdout" for row in rows) / len(rows) < 0.23
