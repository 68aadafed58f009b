"""`floorhouse status`: one sentence for each subject, and exit status 1 if something needs attention."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from floorhouse.program import main
from ingestion.settings import Settings
from orchestration.dagster_home.home import BATCH, open_instance, prepare_home
from orchestration.dagster_home.lost_runs import mark_running
from orchestration.health import plant
from orchestration.health.plant import LastBatch
from quality.alerts.batches import note_stop
from tests.orchestration.conftest import FinishedBatch
from tests.plant import Plant

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def publish(settings: Settings, mart: str, columns: str, rows: Sequence[str]) -> None:
    """Publish one mart with these rows as the version of an hour and a half before `NOW`."""
    version = settings.data_dir / f"{int((NOW - timedelta(minutes=90)).timestamp() * 1e9):020d}-build"
    version.mkdir(exist_ok=True)
    if not settings.published_path.exists():
        settings.published_path.symlink_to(version)
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute(
            f"copy (select * from (values {', '.join(rows)}) as mart ({columns})) to '{version / mart}.parquet'"
        )


def test_a_plant_that_is_well_is_told_in_one_sentence_a_subject(
    finished: FinishedBatch, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FLOORHOUSE_DATA_DIR", str(finished.settings.data_dir))
    status = main(["status", "--json"])
    found = {one["subject"]: one for one in json.loads(capfd.readouterr().out)}
    assert set(found) == {
        "last batch", "stop", "backlog", "published", "rejected", "incidents", "disk", "versions"
    }  # fmt: skip
    assert status == (0 if all(one["is_fine"] for one in found.values()) else 1)
    assert found["backlog"]["sentence"] == "No object waits to be landed."
    assert found["rejected"]["figures"]["yesterday"] + found["rejected"]["figures"]["today"] == 1
    assert found["published"]["figures"]["version"] == finished.settings.published_path.resolve().name
    assert found["stop"]["sentence"] == "Nothing stops batches."


def test_a_new_plant_has_nothing_to_tell_and_needs_no_attention(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOORHOUSE_DATA_DIR", str(plant.settings.data_dir))
    monkeypatch.setattr("orchestration.health.machine.TIGHT_BYTES", 0)
    assert main(["status"]) == 0
    assert list(plant.settings.data_dir.iterdir()) == []


def test_the_last_batch_is_read_from_dagsters_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAGSTER_HOME", "")
    monkeypatch.setenv("FLOORHOUSE_DATA_DIR", str(tmp_path))
    settings = Settings(data_dir=tmp_path)

    @dg.op
    def fail() -> None:
        raise ValueError("on purpose")

    @dg.job(name=BATCH)
    def failing() -> None:
        fail()

    assert plant.last_batch(settings) is None
    prepare_home(settings)
    assert plant.last_batch(settings) is None
    with open_instance(settings.dagster_home) as instance:
        failing.execute_in_process(instance=instance, raise_on_error=False)
        newest = plant.last_batch(settings)
        assert newest is not None
        assert newest.outcome == "failed"
        assert newest.seconds is not None
        assert abs(datetime.now(UTC) - newest.started_at) < timedelta(minutes=5)
        run = instance.create_run_for_job(failing, status=dg.DagsterRunStatus.STARTED)
        with mark_running(settings.dagster_home, run.run_id):
            running = plant.last_batch(settings)
        (settings.dagster_home / "running" / f"{run.run_id}.lock").touch()
        lost = plant.last_batch(settings)
    assert (running and running.outcome, lost and lost.outcome) == ("runs", "lost")


@pytest.mark.parametrize(
    ("outcome", "seconds", "sentence", "is_fine"),
    [
        ("succeeded", 75.4, "The batch of 2026-03-01 12:00 UTC succeeded after 75 s.", True),
        ("failed", 5.0, "The batch of 2026-03-01 12:00 UTC failed after 5 s; Dagster's page and logs/batch.log", False),
        ("cancelled", 5.0, "The batch of 2026-03-01 12:00 UTC was cancelled after 5 s.", True),
        ("runs", None, "A batch has been running since 2026-03-01 12:00 UTC.", True),
        ("waits", None, "A batch has waited to start since 2026-03-01 12:00 UTC.", True),
        ("lost", None, "The batch of 2026-03-01 12:00 UTC was killed; the next one lands what it left.", False),
    ],
)
def test_each_outcome_of_a_batch_has_its_sentence(
    outcome: str, seconds: float | None, sentence: str, is_fine: bool
) -> None:
    found = plant.batch(LastBatch(outcome, NOW, seconds))
    assert found.sentence.startswith(sentence)
    assert found.is_fine == is_fine


def test_objects_that_wait_too_long_need_attention_unless_a_batch_is_under_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(data_dir=tmp_path)
    assert [one.sentence for one in plant.backlog(settings, None, NOW)] == [
        "It cannot be counted, as the bucket is not there yet."
    ]
    events = tmp_path / "landing" / "events"
    events.mkdir(parents=True)
    for name, age in (("a", timedelta(hours=3)), ("b", timedelta(minutes=5))):
        path = events / f"{name}.jsonl"
        path.write_text("{}")
        at = (NOW - age).timestamp()
        os.utime(path, (at, at))
    [waiting] = plant.backlog(settings, None, NOW)
    assert waiting.sentence == (
        "2 objects wait to be landed, the oldest since 2026-03-01 09:00 UTC; is the daemon running? "
        "floorhouse run lands them."
    )
    assert not waiting.is_fine
    [waiting] = plant.backlog(settings, LastBatch("runs", NOW, None), NOW)
    assert waiting.is_fine
    monkeypatch.setattr(plant, "BACKLOG_OBJECTS", 2)
    [waiting] = plant.backlog(settings, LastBatch("runs", NOW, None), NOW)
    assert waiting.sentence.startswith("2 or more objects wait")


def test_a_stop_open_incidents_and_rejected_records_are_told(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    assert plant.figures(settings, NOW).sentence == "Nothing is published yet."
    assert list(plant.incidents(settings)) == list(plant.rejected(settings, NOW.date())) == []
    note_stop(settings, "The disk is full.", NOW)
    publish(settings, "incidents", "incident_id, sentence, severity, status, opened_at", [
        "('1', 'Gate 3 fell silent.', 'warn', 'open', timestamptz '2026-02-27 00:00:00Z')",
        "('2', 'Gate 4 is unsure.', 'warn', 'open', timestamptz '2026-02-28 00:00:00Z')",
        "('3', 'Gate 5 was dirty.', 'warn', 'closed', timestamptz '2026-02-28 00:00:00Z')",
    ])  # fmt: skip
    publish(settings, "landed_objects", "rejected, landed_at", [
        "(3, timestamptz '2026-02-28 23:59:59Z')",
        "(4, timestamptz '2026-03-01 00:00:00Z')",
        "(9, timestamptz '2026-02-27 23:59:59Z')",
    ])  # fmt: skip
    stopped = plant.stop(settings)
    assert stopped.sentence == "Since 2026-03-01T12:00:00+00:00 no batch has finished: The disk is full."
    assert plant.figures(settings, NOW).sentence == "The figures are of 2026-03-01 10:30 UTC, 90 min ago."
    [incidents] = plant.incidents(settings)
    assert incidents.sentence == "2 are open, the newest first: Gate 4 is unsure. Gate 3 fell silent."
    [rejected] = plant.rejected(settings, NOW.date())
    assert rejected.sentence == "Of what landed yesterday 3 records were rejected, of what landed today 4."
    assert [one.is_fine for one in (stopped, incidents, rejected)] == [False, False, True]
    publish(settings, "landed_objects", "rejected, landed_at", ["(null::bigint, timestamptz '2026-03-01 00:00:00Z')"])
    [rejected] = plant.rejected(settings, NOW.date())
    assert rejected.sentence.startswith("The counts of records are not published")
