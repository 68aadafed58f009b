"""The clock of the plant that runs in real time, and the files that its cameras have sent by then."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ingestion.settings import Settings
from scripts.demo import DemoError, landing_folder
from scripts.live import BEHIND, DAYS, LiveError, clock_of, send_files

NOW = datetime(2026, 11, 24, 9, 15, tzinfo=UTC)


def test_a_plant_in_real_time_is_always_at_now(tmp_path: Path) -> None:
    clock = clock_of(tmp_path, NOW, 1)
    assert clock.at(NOW) == NOW
    assert clock.at(NOW + timedelta(hours=3)) == NOW + timedelta(hours=3)


def test_a_faster_one_starts_twelve_hours_ago_and_catches_up(tmp_path: Path) -> None:
    clock = clock_of(tmp_path, NOW, 60)
    assert clock.at(NOW) == NOW - BEHIND
    assert clock.at(NOW + timedelta(minutes=6)) == NOW - timedelta(hours=6)
    assert clock.at(NOW + timedelta(minutes=13)) == NOW + timedelta(minutes=13)


def test_a_plant_that_is_started_again_goes_on_with_its_clock_until_its_days_are_over(tmp_path: Path) -> None:
    first = clock_of(tmp_path, NOW, 60)
    assert clock_of(tmp_path, NOW + timedelta(hours=1), 1) == first
    with pytest.raises(LiveError, match="remove that folder"):
        clock_of(tmp_path, NOW + timedelta(days=DAYS), 1)


def test_the_cameras_send_more_files_as_time_goes_by_and_none_of_the_future(tmp_path: Path) -> None:
    landing, truth = landing_folder(Settings(data_dir=tmp_path)), tmp_path / "live-truth"
    early = NOW.replace(hour=1)
    clock = clock_of(truth, early, 1)
    counts = [send_files(landing, truth, clock, early + timedelta(minutes=minutes)) for minutes in (0, 5)]
    assert 0 < counts[0] < counts[1] < counts[0] + 12 * 10
    assert sum(path.is_file() for path in landing.rglob("*")) == counts[1]


def test_a_bucket_of_another_plant_is_refused(tmp_path: Path) -> None:
    (tmp_path / "landing" / "events").mkdir(parents=True)
    (tmp_path / "landing" / "events" / "day.jsonl").write_text("{}")
    with pytest.raises(DemoError, match="set FLOORHOUSE_DATA_DIR"):
        landing_folder(Settings(data_dir=tmp_path), tmp_path / "live-truth")
