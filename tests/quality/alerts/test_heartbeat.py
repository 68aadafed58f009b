"""The heartbeat is sent once for each finished batch. Nothing that its address does delays a batch."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingestion.settings import Settings
from orchestration.finishing import finish_batch
from quality.alerts.batches import note_stop, read_batches
from quality.alerts.heartbeat import beat
from quality.alerts.settings import AlertSettings, read_alert_settings
from tests.heart_monitor import HeartMonitor, heart_monitor

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def monitor() -> Iterator[HeartMonitor]:
    with heart_monitor() as server:
        yield server


def settings_for(url: str, seconds: float = 5) -> AlertSettings:
    return read_alert_settings(
        {"FLOORHOUSE_ALERT_HEARTBEAT_URL": url, "FLOORHOUSE_ALERT_TIMEOUT_SECONDS": str(seconds)}
    )


def test_an_address_is_called_once_also_where_it_lies_in_a_file(monitor: HeartMonitor, tmp_path: Path) -> None:
    (tmp_path / "address").write_text(f"{monitor.url}\n")
    assert beat(settings_for(monitor.url)) == ""
    assert beat(read_alert_settings({"FLOORHOUSE_ALERT_HEARTBEAT_URL_FILE": str(tmp_path / "address")})) == ""
    assert monitor.calls == ["/a-secret-path"] * 2
    assert beat(AlertSettings()) == ""


def test_what_the_address_does_is_a_sentence_without_its_secret_and_bounded_in_time(monitor: HeartMonitor) -> None:
    monitor.status = 500
    assert beat(settings_for(monitor.url)) == "The heartbeat was not sent: 127.0.0.1 answered 500."
    monitor.status = 302
    assert beat(settings_for(monitor.url)) == "The heartbeat was not sent: 127.0.0.1 answered 302."
    monitor.seconds = 3
    before = time.monotonic()
    assert beat(settings_for(monitor.url, 0.2)) == "The heartbeat was not sent: 127.0.0.1 did not answer in time."
    assert time.monotonic() - before < 2
    assert (
        beat(settings_for("http://127.0.0.1:1/x"))
        == "The heartbeat was not sent: 127.0.0.1 cannot be reached: Connection refused."
    )


def test_a_finished_batch_is_finished_whatever_becomes_of_its_heartbeat(
    monitor: HeartMonitor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, said = Settings(data_dir=tmp_path), list[str]()
    monkeypatch.setenv("FLOORHOUSE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("FLOORHOUSE_ALERT_HEARTBEAT_URL", monitor.url)
    note_stop(settings, "The disk is full.", NOW)
    finish_batch(settings, NOW, said.append)
    assert not read_batches(settings).are_stopped
    assert (monitor.calls, said) == (["/a-secret-path"], [])
    monkeypatch.setenv("FLOORHOUSE_ALERT_HEARTBEAT_URL", "nowhere")
    note_stop(settings, "The disk is full.", NOW)
    finish_batch(settings, NOW, said.append)
    assert not read_batches(settings).are_stopped
    assert [one.partition(": ")[0] for one in said] == ["The heartbeat was not sent"]
