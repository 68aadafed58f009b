from __future__ import annotations

from datetime import datetime
from pathlib import Path

import dagster as dg
import pytest

from ingestion.settings import Settings
from orchestration.sensors.alerts import Alert, alerts_sensor, append_alerts
from tests.orchestration.conftest import FinishedBatch


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path)


def evaluate(finished: FinishedBatch, settings: Settings, cursor: str | None = None) -> str | None:
    context = dg.build_sensor_context(instance=finished.instance, cursor=cursor, resources={"settings": settings})
    alerts_sensor(context)
    return context.cursor


def test_each_failed_check_is_one_line_with_all_that_a_person_needs(
    finished: FinishedBatch, settings: Settings
) -> None:
    evaluate(finished, settings)
    lines = [line.split("\t") for line in settings.alerts_path.read_text().splitlines()]
    assert sorted(line[2] for line in lines) == [
        "published/model_days:daily_confidence_is_above_the_floor",
        "published/model_days:event_mix_is_near_its_baseline",
    ]
    [confidence] = [line for line in lines if "confidence" in line[2]]
    at, severity, _, observed, threshold, sentence, run_id = confidence
    assert datetime.fromisoformat(at).tzinfo is not None
    assert (severity, observed, threshold) == ("WARN", "0.5", "at least 0.85")
    assert "south" in sentence
    assert run_id == finished.result.run_id


def test_a_failure_is_written_once_however_often_the_sensor_looks(finished: FinishedBatch, settings: Settings) -> None:
    cursor = evaluate(finished, settings)
    written = settings.alerts_path.read_text()
    evaluate(finished, settings, cursor)
    assert settings.alerts_path.read_text() == written


def test_a_sensor_that_lost_its_memory_after_writing_writes_nothing_twice(
    finished: FinishedBatch, settings: Settings
) -> None:
    evaluate(finished, settings)
    written = settings.alerts_path.read_text()
    evaluate(finished, settings, cursor=None)
    assert settings.alerts_path.read_text() == written


def test_a_failure_that_was_not_written_yet_is_not_lost_on_a_restart(
    finished: FinishedBatch, settings: Settings
) -> None:
    evaluate(finished, settings)
    first, second = settings.alerts_path.read_text().splitlines()
    settings.alerts_path.write_text(first + "\n")
    evaluate(finished, settings, cursor=None)
    assert settings.alerts_path.read_text().splitlines() == [first, second]


def test_text_with_tabs_and_line_breaks_stays_one_line(tmp_path: Path) -> None:
    at = datetime.fromisoformat("2026-01-15T10:00:00Z")
    alert = Alert(at, "a:b", "WARN", "1", "2", "first\nsecond\tthird", "run")
    assert append_alerts(tmp_path / "alerts.log", [alert]) == 1
    [line] = (tmp_path / "alerts.log").read_text().splitlines()
    assert line.split("\t") == ["2026-01-15T10:00:00Z", "WARN", "a:b", "1", "2", "first second third", "run"]
