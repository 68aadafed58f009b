from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from quality.expectations import frames


def read_frame(published: Path, query: str) -> pd.DataFrame:
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        for path in published.glob("*.parquet"):
            connection.execute(f"create view {path.stem} as from '{path}'")
        return frames.read_frame(connection, query)


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """Two marts written by hand: two sites' days with different cameras, and two landing days."""
    marts = {
        "model_days": """
            from (values
                ('north', date '2026-01-05', 100, 0.90, 70, 20, 5, 5),
                ('north', date '2026-01-05', 300, 0.80, 210, 60, 15, 15),
                ('south', date '2026-01-20', 200, 0.95, 140, 40, 10, 10)
            ) as days (site_id, event_date, event_count, mean_confidence,
                       working_events, idle_events, absent_events, product_count_events)
        """,
        "landed_objects": """
            from (values
                (10, 9, 1, timestamptz '2026-01-05 23:59:00Z'),
                (30, 27, 3, timestamptz '2026-01-05 00:00:00Z'),
                (5, 4, 0, timestamptz '2026-01-06 00:00:00Z')
            ) as objects (records, accepted, rejected, landed_at)
        """,
        "worker_shifts": """
            from (values
                ('north', date '2026-01-05', 0.5, 60.0, 60.0, 10.0, 130.0),
                ('north', date '2026-01-05', null, 0.0, 0.0, 10.0, 12.0)
            ) as shifts (site_id, shift_date, utilization,
                         active_seconds, idle_seconds, absent_seconds, tracked_seconds)
        """,
    }
    for name, query in marts.items():
        duckdb.connect().execute(f"copy ({query}) to '{tmp_path / name}.parquet' (format parquet)")
    return tmp_path


def test_landing_days_are_utc_days_with_their_records_added_up(published: Path) -> None:
    frame = read_frame(published, frames.LANDED_OBJECTS)
    assert frame["records"].tolist() == [40, 5]
    assert frame["unaccounted_records"].tolist() == [0, 1]
    assert frame["rejected_share"].tolist() == [0.1, 0.0]
    assert frame["age_days"].tolist() == [1, 0]


def test_a_sites_mean_confidence_weighs_each_camera_by_its_events(published: Path) -> None:
    frame = read_frame(published, frames.MODEL_DAYS)
    assert frame["mean_confidence"].tolist() == pytest.approx([0.825, 0.95])
    assert frame["event_count"].tolist() == [400, 200]
    assert frame["age_days"].tolist() == [15, 0]


def test_the_event_mix_is_that_of_a_sites_newest_days(published: Path) -> None:
    frame = read_frame(published, frames.EVENT_MIX)
    assert set(frame["site_id"]) == {"south"}  # north has sent nothing for two weeks
    assert frame["event_type"].value_counts().to_dict() == {
        "working": 140,
        "idle": 40,
        "absent": 10,
        "product_count": 10,
    }
    assert set(frame["total_events"]) == {200}


def test_a_large_event_mix_keeps_its_shares_and_its_sum_in_ten_thousand_rows(tmp_path: Path) -> None:
    duckdb.connect().execute(f"""
        copy (
            select 'north' as site_id, date '2026-01-05' as event_date,
                7000000 as working_events, 2000000 as idle_events,
                500000 as absent_events, 500000 as product_count_events
        ) to '{tmp_path}/model_days.parquet' (format parquet)
    """)
    frame = read_frame(tmp_path, frames.EVENT_MIX)
    assert len(frame) == frames.EVENT_MIX_ROWS
    assert frame["event_type"].value_counts()["working"] == 7000
    assert frame["events"].sum() == pytest.approx(10_000_000)


def test_worker_shifts_show_the_extremes_of_a_date_and_time_that_is_in_no_state(published: Path) -> None:
    [row] = read_frame(published, frames.WORKER_SHIFTS).to_dict("records")
    assert (row["lowest_utilization"], row["highest_utilization"]) == (0.5, 0.5)
    assert (row["worker_shifts"], row["untracked_seconds"]) == (2, 2.0)


def test_the_names_of_checks_cost_neither_great_expectations_nor_dagster() -> None:
    modules = ("great_expectations", "pandas", "dagster")
    code = f"import sys, quality.expectations.suites; sys.exit(any(name in sys.modules for name in {modules}))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
