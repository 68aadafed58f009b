"""Every preset turns its sample into the events that were written down by hand, and says what it cannot know.

An expected event is [position, timestamp, event type, station, camera, worker, confidence, count, total]; an expected
rejection is [position, reason].
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

import ingestion.mapping
from ingestion.contract.events import Refusal
from ingestion.mapping.trying import try_mapping
from ingestion.settings import Settings

PRESETS = Path(ingestion.mapping.__file__).with_name("presets")
SAMPLES = Path(__file__).with_name("presets")
NAMES = sorted(path.stem for path in PRESETS.glob("*.sql"))


def test_there_is_a_sample_for_each_preset() -> None:
    assert sorted(path.stem for path in SAMPLES.glob("*.jsonl")) == NAMES
    assert len(NAMES) == 8


@pytest.mark.parametrize("name", NAMES)
def test_a_preset_gives_the_events_that_were_written_down(name: str) -> None:
    file = PRESETS / f"{name}.sql"
    assert "-- What the source cannot know" in file.read_text(encoding="utf-8")
    found: list[list[object]] = []
    for one in try_mapping(file, SAMPLES / f"{name}.jsonl", Settings(), datetime(2026, 1, 16, tzinfo=UTC)):
        assert not one.unexpected
        for verdict in one.verdicts:
            if isinstance(verdict, Refusal):
                found.append([one.position, verdict.reason])
                continue
            assert verdict.model_name != "unknown" or name == "renames"
            found.append(
                [
                    one.position,
                    verdict.timestamp.isoformat().replace("+00:00", "Z"),
                    verdict.event_type,
                    verdict.workstation_id,
                    verdict.camera_id,
                    verdict.worker_id,
                    verdict.confidence,
                    verdict.count,
                    verdict.count_total,
                ]
            )
    expected = json.loads((SAMPLES / f"{name}.expected.json").read_text(encoding="utf-8"))
    assert sorted(found, key=repr) == sorted(expected, key=repr)
