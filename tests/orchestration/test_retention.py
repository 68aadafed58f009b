"""Retention deletes exactly what the settings no longer keep, and totals outlive their events."""

import json
import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ingestion.contract.event_key import EVENT_KEY_SQL
from ingestion.errors import ClockError
from ingestion.identity.journal import is_purge_owed
from ingestion.warehouse import warehouse_lock
from orchestration.commands.verify import verify
from orchestration.dbt import runner
from orchestration.dbt.project import PROJECT_DIR
from orchestration.declared_marts import all_histories
from orchestration.deletions import retain
from privacy.retention import COUNTER_READINGS, SIGHTINGS, RetentionReport
from tests.plant import WITHOUT_DATA_TESTS, Plant

NOW = datetime(2026, 3, 11, 3, tzinfo=UTC)
TOTALS = ("site_shifts", "workstation_shifts", "hourly_output", "model_days")


def event(day: int, worker: str = "W1", hour: int = 10) -> str:
    time = f"2026-03-{day:02d}T{hour:02d}:15:00Z"
    fields = {"workstation_id": "S3", "event_type": "working", "confidence": 0.93}
    return json.dumps({"timestamp": time, "worker_id": worker, "site_id": "A", **fields}) + "\n"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten days with one event each, landed on its day, under settings that keep everything."""
    plant = Plant(tmp_path_factory.mktemp("filled") / "plant")
    for day in range(1, 11):
        plant.drop(f"events/{day:02d}.jsonl", event(day, f"Worker-{day:02d}") + '"bad"\n')
        plant.land(datetime(2026, 3, day, 12, tzinfo=UTC))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(runner, "BUILD", WITHOUT_DATA_TESTS)
        plant.batch(NOW)
    return plant.settings.data_dir


@pytest.fixture
def fill(filled: Path, tmp_path: Path) -> Callable[..., Plant]:
    """Returns a separate copy of the filled plant, under other settings."""

    def make(**settings: Any) -> Plant:
        plant = Plant(tmp_path / "plant", **{"retention_grace_days": 0, **settings})
        shutil.copytree(filled, plant.settings.data_dir, symlinks=True)
        return plant

    return make


pytestmark = pytest.mark.usefixtures("_without_data_tests")


def retention(plant: Plant, now: datetime = NOW) -> RetentionReport:
    with warehouse_lock(plant.settings):
        return retain(plant.settings, now, print)


def days(plant: Plant, mart: str, column: str = "shift_date") -> list[int]:
    return sorted({row[column].day for row in plant.mart(mart)})


def test_without_settings_everything_stays(fill: Callable[..., Plant]) -> None:
    plant = fill()
    before = {mart: plant.mart(mart) for mart in (*TOTALS, "worker_shifts")}
    assert retention(plant) == RetentionReport()
    assert {mart: plant.mart(mart) for mart in before} == before
    assert len(list((plant.landing / "archive/events").iterdir())) == 10


def test_raw_events_go_and_the_totals_made_of_them_stay_through_a_rebuild(fill: Callable[..., Plant]) -> None:
    plant = fill(retention_event_days=4)
    before = {mart: plant.mart(mart) for mart in (*TOTALS, "worker_shifts", "state_intervals")}
    report = retention(plant)
    assert (report.events, report.rejected) == (6, 6)  # of 1 to 6 March; 7 March is the first day that is kept
    assert [row["event_at"].day for row in plant.raw("events")] == [7, 8, 9, 10]
    assert {mart: plant.mart(mart) for mart in before} == before
    # After a changed setting, everything that still has its events is computed again.
    changed = Plant(plant.settings.data_dir, retention_grace_days=0, retention_event_days=4, last_event_minutes=10)
    changed.batch(NOW)
    seconds = {row["shift_date"].day: row["productive_seconds"] for row in changed.mart("site_shifts")}
    assert seconds == {day: 1800 if day <= 7 else 600 for day in range(1, 11)}
    assert days(changed, "model_days", "event_date") == list(range(1, 11))
    assert retention(changed).events == 0


def test_an_event_that_comes_too_late_changes_no_frozen_number_and_goes_with_the_next_run(
    fill: Callable[..., Plant],
) -> None:
    plant = fill(retention_event_days=4)
    retention(plant)
    before = {mart: plant.mart(mart) for mart in TOTALS}
    plant.drop("events/late.jsonl", event(3, "W9"))
    plant.batch(NOW)
    assert {mart: plant.mart(mart) for mart in TOTALS} == before
    assert len(plant.raw("events")) == 5
    assert retention(plant).events == 1


def test_rows_about_single_persons_go_and_do_not_come_back_with_a_rebuild(fill: Callable[..., Plant]) -> None:
    plant = fill(retention_person_days=4)
    before = {mart: plant.mart(mart) for mart in TOTALS}
    assert retention(plant).person_rows > 0
    for again in (
        plant,
        Plant(plant.settings.data_dir, retention_grace_days=0, retention_person_days=4, last_event_minutes=10),
    ):
        again.batch(NOW)
        assert days(again, "worker_shifts") == days(again, "state_intervals") == [7, 8, 9, 10]
        assert days(again, "site_shifts") == list(range(1, 11))
    assert before["model_days"] == plant.mart("model_days")


def test_what_went_is_in_no_byte_of_the_data_folder(fill: Callable[..., Plant]) -> None:
    plant = fill(retention_event_days=4, retention_person_days=4, retention_archive_days=4)

    def found(worker: str) -> list[str]:
        paths = [path for path in plant.settings.data_dir.rglob("*") if path.is_file()]
        return [path.as_posix() for path in paths if worker.encode() in path.read_bytes()]

    assert all(found(f"Worker-{day:02d}") for day in range(1, 11))
    retention(plant)
    assert [day for day in range(1, 11) if found(f"Worker-{day:02d}")] == [7, 8, 9, 10]
    assert not is_purge_owed(plant.settings)


@pytest.mark.parametrize(("days_kept", "left"), [(0, 0), (4, 4), (30, 10)])
def test_archived_objects_go_by_the_time_they_landed(fill: Callable[..., Plant], days_kept: int, left: int) -> None:
    plant = fill(retention_archive_days=days_kept)
    assert retention(plant).objects == 10 - left
    kept = sorted(path.name[:2] for path in (plant.landing / "archive/events").iterdir())
    assert kept == [f"{day:02d}" for day in range(11 - left, 11)]
    assert plant.land().objects == 0


def test_a_horizon_never_moves_back(fill: Callable[..., Plant]) -> None:
    plant = fill(retention_event_days=4, retention_person_days=4)
    retention(plant)
    longer = Plant(plant.settings.data_dir, retention_grace_days=0, retention_event_days=100, retention_person_days=100)
    retention(longer, NOW + timedelta(days=1))
    assert {row["name"]: row["first_date"] for row in longer.raw("horizons")} == {
        "events": date(2026, 3, 7),
        "persons": date(2026, 3, 7),
    }
    assert days(longer, "worker_shifts") == [7, 8, 9, 10]


@pytest.mark.parametrize("settings", [{}, {"retention_person_days": 4}], ids=["events", "events and persons"])
def test_what_is_left_is_what_a_rebuild_gives(fill: Callable[..., Plant], settings: dict[str, int]) -> None:
    settings = {"retention_event_days": 5, "review_fraction": 1, **settings}  # with all events in the review sample
    plant = fill(**settings)
    keys = [
        row["event_key"] for row in plant.query(f"select {EVENT_KEY_SQL} as event_key from warehouse.raw.events", True)
    ]
    label = {"true_event_type": "idle", "reviewer": "R1", "reviewed_at": "2026-03-10T09:00:00Z"}
    plant.drop("labels/a.jsonl", "".join(json.dumps({**label, "event_key": key}) + "\n" for key in keys[::2]))
    plant.batch(NOW)
    whole = (
        "sites",
        "model_versions",
        "label_estimates",
        *(() if "retention_person_days" in settings else ("label_accuracy", "label_confusion")),
    )
    before = {mart: plant.mart(mart) for mart in whole}
    assert all(before.values())
    retention(plant)
    assert {mart: plant.mart(mart) for mart in whole} == before
    assert [one.mart for one in verify(plant.settings) if not one.is_equal] == []
    # Before the horizon, no table says any more who was seen where, and the labels are kept.
    sightings = plant.query("from warehouse.intermediate.int_review_sightings", attach=True)
    assert {row["event_at"].day for row in sightings if row["worker_id"] is not None} <= {6, 7, 8, 9, 10}
    # A rebuild in the plant itself restores them too, and a late event changes none of them.
    plant.drop("events/late.jsonl", event(3, "W9"))
    Plant(plant.settings.data_dir, retention_grace_days=0, last_event_minutes=10, **settings).batch(NOW)
    assert {mart: plant.mart(mart) for mart in whole} == before


def test_retention_knows_every_table_that_keeps_history() -> None:
    models = (PROJECT_DIR / "models/intermediate").rglob("*.sql")
    scoped = {path.stem for path in models if 'incremental_strategy="scoped"' in path.read_text(encoding="utf-8")}
    days = {table.name: day for table, day in all_histories() if table.schema != "marts"}
    assert days.keys() == scoped
    # All other tables hold totals of a date, which are frozen.
    assert {name for name, day in days.items() if day not in ("shift_date", "event_date")} == {
        COUNTER_READINGS.name,
        SIGHTINGS.name,
    }


def test_what_is_due_waits_for_its_grace_and_is_found_by_then(fill: Callable[..., Plant]) -> None:
    plant = fill(retention_event_days=4, retention_archive_days=4, retention_grace_days=7)
    assert retention(plant) == RetentionReport()
    assert retention(plant, NOW + timedelta(days=6, hours=23)) == RetentionReport()
    report = retention(plant, NOW + timedelta(days=7))
    # Only what was due seven days ago: the days until 6 March, although those until 13 March are now due.
    assert (report.events, report.objects) == (6, 6)


@pytest.mark.parametrize("days_kept", [100, None])
def test_a_horizon_that_deleted_nothing_yet_can_be_taken_back(
    fill: Callable[..., Plant], days_kept: int | None
) -> None:
    mistyped = fill(retention_event_days=1, retention_grace_days=7)
    assert retention(mistyped) == RetentionReport()
    mended = Plant(mistyped.settings.data_dir, retention_event_days=days_kept)
    retention(mended, NOW + timedelta(days=3))
    assert retention(mended, NOW + timedelta(days=30)) == RetentionReport()
    assert len(mended.raw("events")) == 10


def test_a_clock_a_year_ahead_deletes_nothing_unless_somebody_insists(fill: Callable[..., Plant]) -> None:
    plant = fill(retention_event_days=4)
    ahead = NOW + timedelta(days=365)
    with pytest.raises(
        ClockError, match=r"clock says 2027-03-11, but the newest data is of 2026-03-1.*--clock-is-right"
    ):
        retention(plant, ahead)
    assert len(plant.raw("events")) == 10
    assert retention(plant, NOW + timedelta(days=21)).events == 10  # three weeks without data are plausible
    with warehouse_lock(plant.settings):
        retain(plant.settings, ahead, print, is_clock_right=True)


def test_a_deletion_requested_by_a_fast_clock_is_cancelled_when_the_clock_is_right_again(
    fill: Callable[..., Plant],
) -> None:
    plant = fill(retention_event_days=15, retention_grace_days=7)
    assert retention(plant, NOW + timedelta(days=30)) == RetentionReport()  # within the limit for a plausible clock
    assert retention(plant, NOW + timedelta(days=8)) == RetentionReport()
    assert retention(plant, NOW + timedelta(days=14)) == RetentionReport()
    assert len(plant.raw("events")) == 10
