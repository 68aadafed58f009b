"""Erasure in the archive: a copy that it has rewritten is none that a writer has changed."""

from __future__ import annotations

import json

from ingestion.identity.journal import begin_erasure
from ingestion.warehouse import warehouse_lock
from privacy.erasure import erase
from tests.plant import Plant


def test_a_copy_that_an_erasure_has_rewritten_lands_no_more(plant: Plant) -> None:
    fields = {"workstation_id": "S1", "event_type": "working", "confidence": 0.9, "site_id": "north"}
    records = [{"timestamp": "2026-01-05T06:00:00Z", "worker_id": worker, **fields} for worker in ("W1", "W2")]
    plant.drop("events/a.jsonl", "".join(json.dumps(record) + "\n" for record in records))
    plant.land()
    with warehouse_lock(plant.settings):
        erase(plant.settings, begin_erasure(plant.settings, "north", "W1"))
    (copy,) = (plant.landing / "archive/events").iterdir()
    assert "W1" not in copy.read_text()
    report = plant.land()
    assert (report.objects, report.growing) == (0, 0)
    assert [row["worker_id"] for row in plant.raw("events")] == ["W2"]
