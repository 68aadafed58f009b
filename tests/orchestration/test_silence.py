"""A silent plant sends no data, so batches that land nothing raise its alarm, once."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from ingestion.settings import Settings
from orchestration.definitions import BATCH, build_definitions
from orchestration.resources import Clock
from quality.alerts.deliver import deliver
from quality.alerts.settings import AlertSettings
from tests.plant import Plant

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)


def shift(day: int) -> str:
    """A camera's day from 06:00 to 14:00, with an event every quarter of an hour."""
    start = MONDAY + timedelta(days=day, hours=6)
    events = [
        {
            "timestamp": (start + timedelta(minutes=15 * number)).isoformat(),
            "site_id": "north",
            "worker_id": "W1",
            "workstation_id": "S1",
            "event_type": "working",
            "confidence": 0.95,
        }
        for number in range(32)
    ]
    return "\n".join(json.dumps(event) for event in events)


def batch(settings: Settings, now: datetime) -> tuple[bool, list[str]]:
    """Run a batch at this time. Returns whether it published, and all freshness transitions reported so far."""

    job = build_definitions(site=False, settings=settings, clock=Clock(lambda: now)).resolve_job_def(BATCH)
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(instance=instance)
    assert result.success
    deliver(settings, AlertSettings(), now.timestamp())
    text = settings.alerts_path.read_text() if settings.alerts_path.exists() else ""
    told = [line.split("\t") for line in text.splitlines()]
    return bool(result.get_asset_materialization_events()), [line[2] for line in told if line[3] == "freshness"]


@pytest.mark.slow
@pytest.mark.timeout(900)  # six batches, of which three run all steps
def test_a_plant_that_falls_silent_is_reported_once_and_once_when_it_is_heard_again(tmp_path: Path) -> None:
    plant = Plant(tmp_path)
    for day in (0, 1, 2, 3, 4, 7, 8, 9, 10, 11):
        plant.drop(f"events/site_id=north/{day}.jsonl", shift(day))

    def at(day: int, hour: int) -> tuple[bool, list[str]]:
        return batch(plant.settings, MONDAY + timedelta(days=day, hours=hour))

    assert at(11, 15) == (True, [])
    assert at(14, 23) == (False, [])  # a Monday without work may be a holiday
    assert at(15, 12) == (True, ["opened"])
    assert at(15, 13) == (False, ["opened"])
    plant.drop("events/site_id=north/18.jsonl", shift(18))
    assert at(18, 15) == (True, ["opened", "closed"])
    assert at(18, 16) == (False, ["opened", "closed"])

    [incident] = [row for row in plant.mart("incidents") if row["metric"] == "freshness"]
    assert incident["first_evidence_date"] == (MONDAY + timedelta(days=11)).date()
    [result] = [row for row in plant.mart("check_results") if row["metric"] == "freshness"]
    assert (result["status"], result["cell"]) == ("pass", "site north")
