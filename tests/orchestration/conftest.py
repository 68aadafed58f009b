"""One batch through the real Dagster job, shared by the tests that check its results."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pytest

from ingestion.settings import Settings
from orchestration.dbt import runner
from orchestration.definitions import BATCH, build_definitions
from tests.heart_monitor import heart_monitor
from tests.plant import WITHOUT_DATA_TESTS

DAY = Path(__file__).parent.parent / "scenarios" / "one_worker_one_shift"
REJECTED = (
    '{"timestamp": "yesterday", "worker_id": "W1", "workstation_id": "S1", "event_type": "idle", "confidence": 1}'
)


@dataclass(frozen=True)
class FinishedBatch:
    """A finished batch: its settings, Dagster's records of it, and its result."""

    settings: Settings
    instance: dg.DagsterInstance
    result: dg.ExecuteInProcessResult
    heartbeats: list[str]  # the paths that the batch called


def drop_day(landing: Path) -> None:
    """Drop one worker's day with known figures: 11 events, 145 units, 87.6 % utilization."""
    shutil.copytree(DAY, landing, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.md", "expected.json"))


def dim_camera(count: int) -> str:
    """Events of a site whose camera has low confidence, one a minute; only the last one is of another type."""
    events = [
        {
            "timestamp": f"2026-01-15T{6 + minute // 60:02}:{minute % 60:02}:00Z",
            "worker_id": "W9",
            "workstation_id": "S9",
            "event_type": "working" if minute + 1 < count else "idle",
            "confidence": 0.5,
            "site_id": "south",
        }
        for minute in range(count)
    ]
    return "\n".join(json.dumps(event) for event in events)


@pytest.fixture
def _without_data_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run batches in half the time, for tests that do not look at data tests."""
    monkeypatch.setattr(runner, "BUILD", WITHOUT_DATA_TESTS)


@pytest.fixture(scope="package")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FinishedBatch]:
    """A batch of the day twice under two keys, a rejected record, and a site whose camera has low confidence."""
    data_dir = tmp_path_factory.mktemp("plant")
    drop_day(data_dir / "landing")
    events = data_dir / "landing" / "events"
    day = next(events.rglob("day.jsonl"))
    (events / "site_id=north" / "camera_id=C1" / "sent-again.jsonl").write_bytes(day.read_bytes())
    (events / "broken.jsonl").write_text(REJECTED)
    (events / "dim.jsonl").write_text(dim_camera(300))
    settings = Settings(data_dir=data_dir)
    definitions = build_definitions(site=False, settings=settings)
    with dg.DagsterInstance.ephemeral() as instance, heart_monitor() as monitor, pytest.MonkeyPatch.context() as patch:
        patch.setenv("FLOORHOUSE_ALERT_HEARTBEAT_URL", monitor.url)
        result = definitions.resolve_job_def(BATCH).execute_in_process(instance=instance)
        patch.undo()
        yield FinishedBatch(settings, instance, result, monitor.calls)
