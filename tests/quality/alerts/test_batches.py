"""Stopped batches are reported once, with the newest reason, and their recovery is reported once."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ingestion.settings import Settings
from quality.alerts.batches import NAME, Batches, messages_of_batches, note_finish, note_stop, read_batches
from quality.alerts.deliver import deliver
from quality.alerts.settings import AlertSettings

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)


def test_a_row_of_failures_is_one_stop_and_the_next_finished_batch_ends_it(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    settings.site_path.mkdir(parents=True)
    note_finish(settings, NOW)
    assert not (tmp_path / NAME).exists()
    note_stop(settings, "The disk is full.", NOW)
    note_stop(settings, "The bucket\nis away.", NOW + timedelta(minutes=5))
    assert read_batches(settings) == Batches("2026-03-01T08:00:00+00:00", "The bucket is away.")
    assert json.loads((settings.site_path / NAME).read_text()) == json.loads((tmp_path / NAME).read_text())
    note_finish(settings, NOW + timedelta(hours=1))
    assert not read_batches(settings).are_stopped
    note_stop(settings, "Again.", NOW + timedelta(hours=2))
    assert read_batches(settings).stopped_at == "2026-03-01T10:00:00+00:00"


def test_a_stop_is_sent_although_nothing_was_ever_published(tmp_path: Path) -> None:
    settings, alerts = Settings(data_dir=tmp_path), AlertSettings()
    note_stop(settings, "The warehouse is missing.", NOW)
    for _ in range(2):
        deliver(settings, alerts, NOW.timestamp())
    note_finish(settings, NOW + timedelta(hours=1))
    deliver(settings, alerts, NOW.timestamp() + 3600)
    lines = settings.alerts_path.read_text(encoding="utf-8").splitlines()
    assert [line.split("\t")[2] for line in lines] == ["opened", "closed"]
    assert "No new figures: The warehouse is missing." in lines[0]


def test_a_torn_status_file_says_nothing(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text('{"stopped_at": "2026')
    assert read_batches(Settings(data_dir=tmp_path)) == Batches()
    assert messages_of_batches(Batches(), "http://127.0.0.1/") == []
