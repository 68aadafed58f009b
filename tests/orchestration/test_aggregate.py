"""Under `aggregate`: what is published, and that earlier publications are removed."""

import json
from pathlib import Path
from random import Random

import pytest

from ingestion.warehouse import open_warehouse, warehouse_lock
from orchestration.deletions import finish_deletions
from orchestration.publish import publish_build
from orchestration.summary import Checks, read_totals, summary_lines
from publishing import versions
from publishing.file_cuts import partitions
from quality.judge import judge
from tests.plant import NOW, Plant


def fill(plant: Plant) -> None:
    """Six workers of a site at two stations; only one of them ever uses the second station."""
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


pytestmark = pytest.mark.usefixtures("_without_data_tests")


def test_changing_to_aggregate_removes_what_was_published_about_persons(tmp_path: Path) -> None:
    named = Plant(tmp_path)
    fill(named)
    named.batch()
    publish_build(named.settings)
    published = tmp_path / "published-versions"
    assert any(b"Worker-" in path.read_bytes() for path in published.rglob("*.parquet"))

    plant = Plant(tmp_path, worker_identity="aggregate")
    with warehouse_lock(plant.settings):
        finish_deletions(plant.settings, print)
    assert len(list(published.iterdir())) == 1
    assert not any(b"Worker-" in path.read_bytes() for path in published.rglob("*") if path.is_file())
    for mart in ("worker_shifts", "state_intervals", "worker_station_shifts", "review_queue"):
        assert plant.mart(mart) == []
    (site,) = plant.mart("site_shifts")
    assert (site["units"], site["worker_count"]) == (6, 6)
    # The small station's figures would follow from the other's by subtraction, so both are left out.
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


def some_events(random: Random, days: list[int], count: int) -> str:
    """Groups at two stations and two cameras that are sometimes too small for the limit of 3."""
    return "".join(
        json.dumps(
            {
                "timestamp": f"2026-01-{random.choice(days)}T{random.randint(6, 12):02d}:{random.randint(10, 59)}:00Z",
                "worker_id": f"Worker-{random.randint(1, 5)}",
                "workstation_id": f"S{random.randint(1, 3)}",
                "event_type": random.choice(["working", "working", "idle", "product_count"]),
                "confidence": 0.9,
                "camera_id": f"C{random.randint(1, 2)}",
                "model_name": f"eye {random.randint(1, 2)}",
            }
        )
        + "\n"
        for _ in range(count)
    )


def test_a_batch_writes_the_files_of_the_days_it_changed_and_what_is_left_out_is_as_if_all_were_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(versions, "LARGEST_FILE_ROWS", 3)
    monkeypatch.setattr(versions, "partitions", lambda rows: partitions(rows, 3))
    plant, random = Plant(tmp_path, worker_identity="aggregate", min_group=3), Random(20260115)
    plant.drop("events/0.jsonl", some_events(random, list(range(10, 16)), 160))
    plant.batch()
    hidden = {day for row in plant.mart("hourly_output") if row["units"] is None for day in [row["shift_date"]]}
    assert 0 < len(hidden) <= 6
    for number, days in enumerate(([11], [13, 14], [16, 10], [12]), 1):
        before = plant.settings.published_path.resolve()
        plant.drop(f"events/{number}.jsonl", some_events(random, days, 12))
        plant.batch()
        now = plant.settings.published_path.resolve()
        for mart in ("hourly_output", "workstation_shifts", "model_days"):
            files = {path.name: path.stat().st_ino for path in (now / f"{mart}.parquet").iterdir()}
            old = {path.name: path.stat().st_ino for path in (before / f"{mart}.parquet").iterdir()}
            written = {name for name in files if files[name] != old.get(name)}
            # A state may continue from a window of the evening before (contract §5), whose rows are computed again too.
            assert {f"2026-01-{day}.parquet" for day in days} <= written
            assert written <= {f"2026-01-{one}.parquet" for day in days for one in (day - 1, day)}
        assert (now / "worker_shifts.parquet").stat().st_size < 5000
        shown = {path.stem: plant.mart(path.stem) for path in now.glob("*.parquet")}
        publish_build(plant.settings, anew=True)
        assert {name: plant.mart(name) for name in shown} == shown


def test_another_limit_of_a_group_rewrites_every_file(tmp_path: Path) -> None:
    fill(Plant(tmp_path))
    Plant(tmp_path, worker_identity="aggregate", min_group=7).batch()
    plant = Plant(tmp_path, worker_identity="aggregate", min_group=6)
    assert [row["units"] for row in plant.mart("site_shifts")] == [None]
    with warehouse_lock(plant.settings):
        publish_build(plant.settings)  # also before the changed setting has taken effect
    assert [row["units"] for row in plant.mart("site_shifts")] == [6]
