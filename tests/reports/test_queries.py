"""Single queries of the pages, over a few rows for which a careless sentence or sum would be wrong."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest

from reports.prepared_answers import QUERIES_FOLDER
from reports.published_views import SHAPES

AT = "timestamptz '2026-02-28 12:00:00+00'"


@pytest.fixture
def plant() -> duckdb.DuckDBPyConnection:
    """Every mart that the report reads, without rows, and a schema for tables of the report."""
    connection = duckdb.connect()
    connection.execute(SHAPES.read_text(encoding="utf-8"))
    connection.execute("create schema plant")
    return connection


def _ask(plant: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    answer = plant.execute((QUERIES_FOLDER / f"{query}.sql").read_text(encoding="utf-8"))
    names = [column[0] for column in answer.description or ()]
    return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]


def test_the_worst_in_words_is_the_cell_furthest_on_the_wrong_side_of_its_limit(
    plant: duckdb.DuckDBPyConnection,
) -> None:
    rows = [
        ("covers more", "warn", 0.07, -0.1),  # as far from its limit as any, but on the right side
        ("covers less", "warn", -0.2, -0.1),
        ("covers a little less", "warn", -0.12, -0.1),
        ("covers much less", "pass", -0.5, -0.1),  # a cell that passed is not the worst if another one did not
    ]
    for sentence, status, effect, threshold in rows:
        plant.execute(
            "insert into check_results by name select 'north' as site_id, date '2026-02-28' as evidence_date, "
            "'a_camera_covers_its_time' as check_name, 'silence' as metric, $1 as cell, $2 as status, "
            "$3 as effect, $4 as threshold, $1 as sentence",
            [sentence, status, effect, threshold],
        )
    (row,) = _ask(plant, "health/checks")
    assert row["sentence"] == "covers less"
    assert (row["cells"], row["warned"], row["failed"], row["passed"]) == (4, 3, 0, 1)


def test_dates_that_were_loaded_afterwards_are_not_late(plant: duckdb.DuckDBPyConnection) -> None:
    # two dates loaded after ten days, and a date on which a tenth of the events came three hours late
    for day, late, median, p95 in (("2026-02-01", 100, 864000, 900000), ("2026-02-02", 100, 777600, 780000),
                                   ("2026-02-28", 10, 600, 10800)):  # fmt: skip
        plant.execute(
            "insert into camera_days by name select 'north' as site_id, $1::date as event_date, 'C1' as camera_id, "
            f"100 as event_count, {AT} as last_event_at, $2 as late_events, $3 as p50_lateness_seconds, "
            "$4 as p95_lateness_seconds, 28800 as scheduled_seconds, 28800 as covered_seconds, "
            "nullif($2, 10) as station_events",
            [day, late, median, p95],
        )
        plant.execute(
            "insert into model_days by name select 'north' as site_id, $1::date as event_date, 'C1' as camera_id, "
            "100 as event_count, 0.9 as mean_confidence",
            [day],
        )
    plant.execute(f"insert into landed_objects by name select 'events/a' as object_key, {AT} as landed_at")
    (row,) = _ask(plant, "health/cameras")
    assert (row["loaded_dates"], row["late_share"], row["p95_lateness_seconds"]) == (2, 0.1, 10800)
    # A date on which station events were not counted yet is left out of their share.
    assert row["station_share"] == 1


def test_a_version_that_people_found_worse_marks_the_dates_on_which_it_ran(plant: duckdb.DuckDBPyConnection) -> None:
    plant.execute(
        "create table plant.label_weeks as select 'north' as site_id, 'idle' as event_type, model_version, "
        "labelled_events, correct_events from (values ('1.4.0', 400, 380), ('1.5.0', 100, 76), ('1.5.1', 400, 382)) "
        "as labels(model_version, labelled_events, correct_events)"
    )
    plant.execute(
        "create table plant.model_dates as select 'north' as site_id, model_version, event_date::date as event_date "
        "from (values ('1.4.0', '2026-02-01'), ('1.5.0', '2026-02-10'), ('1.5.0', '2026-02-12'), "
        "('1.5.1', '2026-02-28')) as dates(model_version, event_date)"
    )
    (row,) = _ask(plant, "frame/beliefs")
    assert (row["worse_version"], row["worse_accuracy"]) == ("1.5.0", 0.76)
    assert (row["worse_from"], row["worse_to"]) == ("2026-02-10", "2026-02-12")
    assert 0.91 < row["low"] < 838 / 900 < row["high"] < 0.95
