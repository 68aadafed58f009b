from __future__ import annotations

from typing import Any

import dagster as dg
import duckdb
import pytest

from ingestion.errors import TransformError
from orchestration.dbt.runner import build_models
from orchestration.definitions import BATCH, build_definitions
from orchestration.outcome import count_checks
from orchestration.summary import read_totals, summary_lines, time_line
from tests.orchestration.conftest import FinishedBatch, drop_day
from tests.plant import Plant


def metadata_of(finished: FinishedBatch, *path: str) -> dict[str, Any]:
    [event] = [
        materialization
        for materialization in finished.result.get_asset_materialization_events()
        if materialization.asset_key is not None and list(materialization.asset_key.path) == list(path)
    ]
    return {name: value.value for name, value in event.materialization.metadata.items()}


def test_a_batch_publishes_the_worked_out_numbers(finished: FinishedBatch) -> None:
    path = finished.settings.published_path / "worker_shifts.parquet"
    with duckdb.connect() as connection:
        row = connection.execute(
            "select units, utilization, units_per_active_hour from read_parquet($path) where worker_id = 'W1'",
            {"path": str(path)},
        ).fetchone()
    assert row == (145, pytest.approx(420.5 / 480), pytest.approx(145 / (420.5 / 60)))


def test_landing_tells_rows_rejects_bytes_and_seconds(finished: FinishedBatch) -> None:
    events = metadata_of(finished, "raw", "events")
    assert (events["landed_rows"], events["rejected_rows"], events["dagster/row_count"]) == (322, 1, 322)
    objects = metadata_of(finished, "raw", "landed_objects")
    assert (objects["landed_rows"], objects["records"], objects["archived"]) == (4, 323, 4)
    assert objects["landed_bytes"] > 10_000
    assert objects["seconds"] > 0
    assert (objects["not_archived"], objects["archive_seconds"] >= 0) == (0, True)


def test_every_model_tells_its_rows_and_seconds(finished: FinishedBatch) -> None:
    model = metadata_of(finished, "intermediate", "int_event_days")
    assert model["dagster/row_count"] == 5  # three event types of one site's day, two of the other's
    assert model["Execution Duration"] > 0


def test_a_model_chosen_by_itself_is_computed_with_the_tables_in_memory_that_it_reads(plant: Plant) -> None:
    drop_day(plant.settings.data_dir / "landing")
    plant.batch()
    chosen = dg.AssetKey(["marts", "worker_shifts"])
    with dg.DagsterInstance.ephemeral() as instance:
        job = build_definitions(site=False, settings=plant.settings).resolve_job_def(BATCH)
        result = job.execute_in_process(instance=instance, asset_selection=[chosen])
    assert result.success
    assert {event.asset_key for event in result.get_asset_materialization_events()} == {chosen}
    assert {one.asset_key for one in result.get_asset_check_evaluations()} == {chosen}


def test_published_marts_tell_rows_bytes_and_version(finished: FinishedBatch) -> None:
    mart = metadata_of(finished, "published", "worker_shifts")
    assert mart["dagster/row_count"] == 2
    assert mart["bytes"] == (finished.settings.published_path / "worker_shifts.parquet").stat().st_size
    assert mart["version"] == finished.settings.published_path.resolve().name


def test_every_data_test_of_dbt_is_a_passed_check_of_its_model(finished: FinishedBatch) -> None:
    evaluations = finished.result.get_asset_check_evaluations()
    of_dbt = [one for one in evaluations if one.asset_key.path[0] in ("staging", "intermediate", "marts")]
    assert len(of_dbt) > 20
    assert all(one.passed for one in of_dbt)


def test_a_failed_suite_check_warns_with_what_was_seen_and_holds_nothing_back(finished: FinishedBatch) -> None:
    [check] = [
        one
        for one in finished.result.get_asset_check_evaluations()
        if one.check_name == "confidence_is_above_the_floor"
    ]
    told = {name: value.value for name, value in check.metadata.items()}
    assert not check.passed
    assert finished.result.success
    assert (told["status"], told["observed"]) == ("failed", 1.0)
    assert "Site south, camera unknown" in str(told["sentence"])


def test_a_batch_names_each_incident_that_it_opens(finished: FinishedBatch) -> None:
    entries = finished.instance.all_logs(finished.result.run_id)
    said = [entry.user_message for entry in entries if entry.step_key == "judge" and entry.dagster_event is None]
    assert any("Site south, camera unknown" in line and "the floor is" in line for line in said), said


def test_the_published_version_holds_its_own_results_and_incidents(finished: FinishedBatch) -> None:
    published = finished.settings.published_path
    with duckdb.connect() as connection:
        floor = connection.execute(
            "select site_id, status, sample_size from read_parquet($path) where check_name = $check order by all",
            {"path": str(published / "check_results.parquet"), "check": "confidence_is_above_the_floor"},
        ).fetchall()
        incidents = connection.execute(
            "select site_id, metric, status from read_parquet($path) order by all",
            {"path": str(published / "incidents.parquet")},
        ).fetchall()
    assert ("south", "fail", 300) in floor
    assert ("north", "insufficient_data", 11) in floor
    assert ("south", "confidence_floor", "open") in incidents


def test_a_check_with_too_small_a_sample_does_not_fail(finished: FinishedBatch) -> None:
    checks = count_checks(finished.result.get_asset_check_evaluations())
    assert checks.insufficient > 0
    assert sorted(name.split(" ")[0] for name in checks.failed) == [
        "confidence_is_above_the_floor",
        "event_mix_divergence_is_small",
    ]


def test_the_summary_adds_up_what_was_published(finished: FinishedBatch) -> None:
    totals = read_totals(finished.settings.published_path)
    assert (totals.accepted, totals.rejected, totals.duplicates, totals.units) == (322, 1, 11, 145)
    checks = count_checks(finished.result.get_asset_check_evaluations())
    lines = summary_lines(totals, checks, new_objects=4, report="at home", seconds=1.25)
    assert lines[0] == "Batch finished in 1.2 s."
    text = "\n".join(lines)
    for part in (
        "4 landed, 4 of them",
        "322 accepted, 1 rejected",
        "11, leaving 311 events",
        "145",
        "2 warned",
        "at home",
    ):
        assert part in text


def test_the_job_that_replays_rejects_tells_how_many_it_tried(finished: FinishedBatch) -> None:
    job = build_definitions(site=False, settings=finished.settings).resolve_job_def("replay_rejects")
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(instance=instance)
    [output] = [event for event in result.all_events if event.event_type_value == "STEP_OUTPUT"]
    told = output.step_output_data.metadata
    assert (told["tried"].value, told["accepted"].value) == (1, 0)


def test_the_seconds_of_a_batch_are_shown_by_step_and_the_rest_is_starting() -> None:
    assert time_line(9.5, {"landing": 1.25, "models": 4.0}) == "starting 4.2 s, landing 1.2 s, models 4.0 s"
    assert time_line(1.0, {"landing": 1.1}) == "starting 0.0 s, landing 1.1 s"


def test_a_broken_rule_is_reported_with_the_number_of_its_rows(plant: Plant) -> None:
    drop_day(plant.settings.data_dir / "landing")
    plant.land()
    with duckdb.connect(plant.settings.warehouse_path) as connection:
        connection.execute("update raw.settings set last_event_microseconds = -1000000")
    with pytest.raises(TransformError, match=r"^test rules_of_\w+_hold failed: [\d,]+ rows break the rule: \w+ "):
        build_models(plant.settings)


def test_a_finished_batch_sends_one_heartbeat(finished: FinishedBatch) -> None:
    assert finished.heartbeats == ["/a-secret-path"]
