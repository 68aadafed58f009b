import logging
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ingestion.edge.disk import BLOCK_BYTES
from ingestion.edge.status import read_status, report_line
from tests.ingestion.edge.gateway import SMALL_OBJECTS, Gateway

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)


def test_an_empty_spool_has_no_backlog_and_no_age(gateway: Gateway) -> None:
    status = read_status(gateway.spool, NOON)
    assert status["backlog"] == {"objects": 0, "events": 0, "whole_files": 0, "bytes": 0, "oldest_age_seconds": None}
    assert report_line(status) == (
        "backlog 0 objects, 0 events, 0 bytes, oldest -; inbox 0 files; dropped 0 objects, 0 events; "
        "last success -; last error -"
    )


def test_the_backlog_counts_objects_events_bytes_and_the_age_of_the_oldest(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path, **SMALL_OBJECTS)
    for n in range(7):
        gateway.spool.append({"n": n})
    gateway.spool.append({"n": 7}, camera_id="C2")
    for at, path in enumerate(sorted(gateway.settings.spool_dir.rglob("20*"))):
        os.utime(path, ((NOON - timedelta(seconds=100 - at)).timestamp(),) * 2)
    status = read_status(gateway.spool, NOON)
    assert status["backlog"] == {"objects": 4, "events": 8, "whole_files": 0, "bytes": 64, "oldest_age_seconds": 100}
    assert [(one["camera_id"], one["objects"], one["events"]) for one in status["cameras"]] == [
        ("C1", 3, 7),
        ("C2", 1, 1),
    ]
    assert status["used_bytes"] == 4 * BLOCK_BYTES


def test_a_clock_that_was_set_back_gives_no_negative_age(gateway: Gateway) -> None:
    gateway.spool.append({"n": 1})
    assert read_status(gateway.spool, NOON - timedelta(days=9000))["backlog"]["oldest_age_seconds"] == 0


def test_success_error_and_totals_are_kept_over_a_restart(gateway: Gateway) -> None:
    gateway.spool.append_many([{"n": 1}, {"n": 2}])
    gateway.uploader(now=lambda: NOON).run_once()
    gateway.spool.append({"n": 3})
    (gateway.landing / "events").rename(gateway.landing / "elsewhere")
    gateway.uploader(now=lambda: NOON + timedelta(hours=1)).run_once()
    status = read_status(gateway.spool, NOON)
    assert status["uploaded"] == {"objects": 1, "events": 2, "bytes": 16}
    assert status["last_success_at"] == "2026-01-15T12:00:00Z"
    assert status["last_error"]["at"] == "2026-01-15T13:00:00Z"
    assert "has no folder events/" in status["last_error"]["text"]


def test_a_damaged_ledger_stops_nobody(gateway: Gateway) -> None:
    (gateway.settings.spool_dir / "uploader.json").write_bytes(b"\0\0\0")
    (gateway.settings.spool_dir / "dropped.json").write_bytes(b"[1]")
    gateway.spool.append({"n": 1})
    assert gateway.upload()
    assert read_status(gateway.spool, NOON)["uploaded"]["events"] == 1


def test_the_log_has_the_backlog_in_one_line(gateway: Gateway, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    gateway.spool.append({"n": 1})
    gateway.uploader(now=lambda: NOON).run_once()
    (line,) = [record.message for record in caplog.records if "backlog" in record.message]
    assert line.startswith("backlog 0 objects, 0 events, 0 bytes, oldest -;")
    assert "last success 2026-01-15T12:00:00Z; last error -" in line
