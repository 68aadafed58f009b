"""A small plant with two cameras on one scene, low confidence and labels: all inputs of a retraining request."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ingestion.contract.event_key import event_key
from ingestion.contract.events import Event, Folder, judge_record
from tests.plant import Plant

FIRST = datetime(2026, 1, 1, 6, tzinfo=UTC)
NOW = datetime(2026, 3, 1, tzinfo=UTC)
DAYS, EVENTS_A_DAY = 4, 260
SETTINGS: dict[str, Any] = {"review_fraction": 0.2, "retraining_least_labels": 20, "retraining_every_days": 0}


def day_events(day: int, version: str, confidence: float) -> Iterator[dict[str, Any]]:
    """One camera's day. Sometimes a second camera sees the scene and reports waiting instead of work."""
    for number in range(EVENTS_A_DAY):
        at = FIRST + timedelta(days=day, minutes=2 * number)
        event = {
            "timestamp": at.isoformat(),
            "site_id": "A",
            "camera_id": "c",
            "worker_id": f"W{number % 3}",
            "workstation_id": "S",
            "event_type": "working" if number % 4 else "idle",
            "confidence": 0.3 if number % 50 == 0 else confidence,
            "model_name": "m",
            "model_version": version,
        }
        yield event
        if number % 40 == 1:
            yield {**event, "camera_id": "d", "event_type": "idle", "confidence": confidence}


def key_of(event: dict[str, Any]) -> str:
    verdict, _ = judge_record(json.dumps(event).encode(), Folder(), NOW)
    assert isinstance(verdict, Event)
    return event_key(verdict)


def label(key: str, true: str) -> dict[str, str]:
    reviewed_at = "2026-02-01T09:00:00Z"
    return {"event_key": key, "true_event_type": true, "reviewer": "reviewer-1", "reviewed_at": reviewed_at}


def lines(records: Iterator[dict[str, Any]] | list[dict[str, Any]]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def make_plant(folder: Path, **settings: Any) -> Plant:
    """Four days below the floor. Every event of the review sample is labelled, three of five as wrong."""
    plant = Plant(folder, **{**SETTINGS, **settings})
    for day in range(DAYS):
        plant.drop(f"events/{day}.jsonl", lines(day_events(day, "1", 0.8)))
    plant.batch(NOW)
    queue = plant.mart("review_queue")
    answers = [
        label(event["event_key"], "absent" if place % 5 < 3 else event["event_type"])
        for place, event in enumerate(queue)
    ]
    plant.drop("labels/a.jsonl", lines(answers))
    plant.batch(NOW)
    return plant
