"""Compares every published mart with the list of what may be shown, so that no mart is forgotten."""

from __future__ import annotations

import json

import duckdb
import pytest

from ingestion.errors import WarehouseError
from ingestion.settings import Settings
from orchestration.dbt.manifest import manifest_path
from orchestration.declared_marts import MADE_BY_PYTHON, all_marts
from publishing.declarations import declared
from publishing.suppression import SHOWN, published_rows
from quality import mart_columns as check_marts
from quality.retraining import tables as model_marts

# Marts of which nothing is shown, because their rows are about one worker or about single labelled events.
NOTHING_SHOWN = {
    *("worker_shifts", "worker_station_shifts", "state_intervals", "observed_intervals", "review_queue"),
    *("labelled_events", "label_accuracy", "label_confusion", "label_confidence", "label_estimates"),
    *("reviewer_agreement", "contacts", "audit_queue", "audited_instants"),
    "count_agreement",
}
# Columns that are left out of marts whose other columns are shown.
LEFT_OUT = {
    "hourly_output": {"cumulative_units", "cumulative_gap"},
    "landed_objects": {
        *("bytes", "records", "accepted", "rejected", "unexpected_fields"),
        *("source_records", "skipped_records"),
    },
    "camera_pairs": {
        *("event_count", "other_event_count", "near_duplicates", "chance_pairs", "near_duplicate_share"),
        "offset_seconds",
    },
    "rejected_records": {"etag", "position", "part", "payload"},
    "unread_objects": {"bytes"},
    "model_comparison": {
        *("shared_sightings", "disagreeing_sightings", "disagreement", "disagreement_low", "disagreement_high"),
        *("labelled_events", "correct_events", "disputed_events", "accuracy", "accuracy_low", "accuracy_high"),
    },
    "model_verdicts": {
        *("earlier_value", "later_value", "difference", "difference_low", "difference_high"),
        *("earlier_sample", "later_sample", "more_needed"),
    },
    "retraining_requests": {"observed", "sample_size"},
    "check_results": {"observed", "sample_size", "effect", "p_value"},
}


def columns_of(mart: str) -> set[str]:
    tables = {**check_marts.TABLES, **model_marts.TABLES}
    if mart in tables:
        with duckdb.connect() as connection:
            connection.execute(f"create table made ({tables[mart]})")
            return {name for name, *_ in connection.execute("describe made").fetchall()}
    nodes = json.loads(manifest_path().read_bytes())["nodes"]
    return set(nodes[f"model.floorhouse.{mart}"]["columns"])


def test_for_every_mart_somebody_decided_what_may_be_shown() -> None:
    names = {mart.name for mart in all_marts()}

    assert names == SHOWN.keys() | NOTHING_SHOWN
    assert not SHOWN.keys() & NOTHING_SHOWN


@pytest.mark.parametrize("mart", sorted(SHOWN))
def test_for_every_column_somebody_decided_whether_it_may_be_shown(mart: str) -> None:
    assert columns_of(mart) == SHOWN[mart].columns | LEFT_OUT.get(mart, set())
    assert not SHOWN[mart].columns & LEFT_OUT.get(mart, set())


def test_a_mart_that_nobody_thought_of_is_published_without_rows() -> None:
    mart = declared("forgotten", {"about": "camera", "scope": "whole", "day": None, "names": []})
    with duckdb.connect() as connection:
        connection.execute("create schema marts; create table marts.forgotten as select 'W1' as told")
        aggregate = published_rows(connection, Settings(worker_identity="aggregate"), mart)
        assert connection.execute(f"select count(*) from ({aggregate})").fetchone() == (0,)
        assert connection.execute(
            f"select count(*) from ({published_rows(connection, Settings(), mart)})"
        ).fetchone() == (1,)


@pytest.mark.parametrize("lacking", ["about", "scope", "day", "names"])
def test_a_mart_that_does_not_say_what_it_is_stops_the_build_with_a_sentence(lacking: str) -> None:
    meta = {"about": "group", "scope": "window", "day": "shift_date", "names": []}
    del meta[lacking]

    with pytest.raises(WarehouseError, match=f"The mart visits does not declare {lacking}"):
        declared("visits", meta)


def test_a_mart_with_an_unknown_declaration_stops_the_build() -> None:
    with pytest.raises(WarehouseError, match="declares an unknown value"):
        declared("visits", {"about": "weather", "scope": "window", "day": None, "names": []})


def test_marts_that_python_makes_are_declared_beside_their_columns() -> None:
    assert MADE_BY_PYTHON.keys() == check_marts.TABLES.keys() | model_marts.TABLES.keys()
