"""Where nothing may be said about single persons: what is published, and that what was published before is gone."""

import json
from pathlib import Path

from ingestion.warehouse import open_warehouse, warehouse_lock
from orchestration.privacy import keep_promises
from orchestration.summary import Checks, read_totals, summary_lines
from quality.judge import judge
from tests.plant import NOW, Plant


def fill(plant: Plant) -> None:
    """Six workers of a site at two stations; one station is only ever used by one of them."""
    records = [
        {
            "timestamp": f"2026-01-15T10:{minute:02d}:00Z",
            "worker_id": f"Worker-{number}",
            "workstation_id": "S2" if number == 6 else "S1",
            "event_type": "product_count" if minute == 30 else "working",
            "confidence": 0.9,
        }
        for number in range(1, 7)
        for minute in (0, 30)
    ]
    plant.drop("events/a.jsonl", "".join(json.dumps(record) + "\n" for record in records) + '"Worker-6"\n')


def test_changing_to_aggregate_removes_what_was_published_about_persons(tmp_path: Path) -> None:
    named = Plant(tmp_path)
    fill(named)
    named.batch()
    named.batch(NOW)
    published = tmp_path / "published-versions"
    assert any(b"Worker-" in path.read_bytes() for path in published.rglob("*.parquet"))

    plant = Plant(tmp_path, worker_identity="aggregate")
    with warehouse_lock(plant.settings):
        keep_promises(plant.settings, print)
    assert len(list(published.iterdir())) == 1
    assert not any(b"Worker-" in path.read_bytes() for path in published.rglob("*") if path.is_file())
    for mart in ("worker_shifts", "state_intervals", "worker_station_shifts", "review_queue"):
        assert plant.mart(mart) == []
    (site,) = plant.mart("site_shifts")
    assert (site["units"], site["worker_count"]) == (6, 6)
    # One small station would follow by subtraction from the other: both are left out.
    assert [row["units"] for row in plant.mart("workstation_shifts")] == [None, None]
    assert [row["payload"] for row in plant.mart("rejected_records")] == [None]
    said = "\n".join(summary_lines(read_totals(plant.settings.published_path), Checks(0, [], 0), 0, "", 0.0))
    assert "nothing about single persons is published" in said
    with open_warehouse(plant.settings) as connection:
        verdict = judge(connection, plant.settings, NOW)
    results = [one for _, of_suite in verdict.suites for one in of_suite]
    assert verdict.errors == []
    assert [one.name for one in results if "could not be judged" in one.sentence] == []
    assert len(plant.raw("events")) == 12
