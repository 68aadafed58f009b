"""When the watcher asks for a batch, with a real local bucket, a clock of the test and batches that only count."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ingestion.bucket import Bucket, LocalBucket, open_landing_bucket
from ingestion.errors import BucketError
from ingestion.settings import Settings
from orchestration.live.watcher import LONGEST_PAUSE_SECONDS, LOOK_SECONDS, REGULAR_SECONDS, Watcher
from tests.plant import Plant


@dataclass
class Counted:
    """Batches that are only counted."""

    asked: int = 0
    made_ready: int = 0

    def ready(self) -> None:
        self.made_ready += 1

    def ask(self) -> None:
        self.asked += 1


@dataclass
class Hall:
    """A plant, its watcher, and a clock that stands still unless the test moves it."""

    plant: Plant
    batches: Counted = field(default_factory=Counted)
    lines: list[str] = field(default_factory=list)
    seconds: float = 0.0
    look_costs: float = 0.0  # seconds of a core
    spent: float = 0.0
    open_bucket: Callable[[Settings], Bucket] = open_landing_bucket

    def cost(self) -> float:
        self.spent += self.look_costs
        return self.spent

    def opened(self, settings: Settings) -> Bucket:
        return self.open_bucket(settings)

    def __post_init__(self) -> None:
        self.watcher = Watcher(
            self.plant.settings,
            self.batches,
            self.lines.append,
            clock=lambda: self.seconds,
            cost=self.cost,
            now=lambda: datetime(2026, 1, 15, tzinfo=UTC) + timedelta(seconds=self.seconds),
            open_bucket=self.opened,
        )

    def drop(self, name: str) -> None:
        path = self.plant.drop(f"events/{name}.jsonl", "{}")
        at = datetime(2026, 1, 15, tzinfo=UTC).timestamp() + self.seconds
        os.utime(path, (at, at))

    def batch(self, status: int = 0) -> None:
        """End the running batch, which lands everything unless it fails."""
        assert self.watcher.is_running
        if status == 0:
            for path in self.plant.landing.glob("events/*"):
                path.unlink()
        self.watcher.ended(status)

    def look_after(self, seconds: float) -> bool:
        """Let time pass, look, and return whether that started a batch."""
        self.seconds += seconds
        before = self.batches.asked
        self.watcher.look()
        return self.batches.asked > before


@pytest.fixture
def hall(tmp_path: Path) -> Hall:
    """A plant whose watcher has had its first batch and its least pause."""
    hall = Hall(Plant(tmp_path, least_batch_seconds=5))
    assert hall.look_after(0)
    hall.batch()
    hall.seconds += 5
    return hall


def test_the_first_look_starts_a_batch_whatever_the_bucket_holds(tmp_path: Path) -> None:
    # what a batch before a reboot had archived and not computed waits in no listing
    assert Hall(Plant(tmp_path)).look_after(0)


def test_an_object_starts_a_batch_at_the_next_look_and_is_asked_for_once(hall: Hall) -> None:
    assert not hall.look_after(1)
    hall.drop("a")
    assert hall.look_after(LOOK_SECONDS)
    hall.batch()
    assert not hall.look_after(60)


def test_objects_that_come_one_a_second_are_gathered(hall: Hall) -> None:
    started = 0
    for second in range(60):
        hall.drop(str(second))
        if hall.look_after(1):
            started += 1
            hall.batch()
    assert started == 12  # every five seconds


def test_what_arrives_during_a_batch_starts_the_next_one(hall: Hall) -> None:
    hall.drop("a")
    assert hall.look_after(1)
    hall.batch()
    hall.drop("b")
    assert not hall.look_after(4.5)  # not five seconds after the last start
    assert hall.look_after(0.5)


def test_a_changed_registry_file_starts_a_batch(hall: Hall) -> None:
    hall.plant.drop("registry/workers.csv", "site_id,worker_id,name\n")
    assert hall.look_after(1)
    hall.batch()
    assert not hall.look_after(60)


def test_objects_that_stay_in_their_place_start_one_batch(tmp_path: Path) -> None:
    hall = Hall(Plant(tmp_path, landed_objects="keep"))
    hall.drop("a")
    assert hall.look_after(0)
    hall.watcher.ended(0)
    assert not hall.look_after(10)
    hall.drop("b")
    assert hall.look_after(10)


def test_an_object_is_landed_once_it_is_still(tmp_path: Path) -> None:
    hall = Hall(Plant(tmp_path, still_seconds=10))
    hall.look_after(0)
    hall.watcher.ended(0)
    hall.drop("a")
    assert not hall.look_after(9)
    assert hall.look_after(2)


@pytest.mark.parametrize("status", [1, -1], ids=["failed", "killed"])
def test_a_failed_batch_is_asked_for_again_after_ever_longer_pauses(hall: Hall, status: int) -> None:
    hall.drop("a")
    assert hall.look_after(1)
    for pause in (60, 120, 300, 900, 900):
        hall.batch(status)
        assert "asked for again at" in hall.lines[-1]
        assert not hall.look_after(pause - 1)
        assert hall.look_after(1)
    hall.batch()
    assert not hall.look_after(900)


def test_without_anything_new_a_batch_runs_each_hour(hall: Hall) -> None:
    assert not hall.look_after(REGULAR_SECONDS - 10)
    assert hall.look_after(10)


def test_a_bucket_that_is_away_is_told_once_and_watched_again_when_it_answers(hall: Hall) -> None:
    def away(_: Settings) -> Bucket:
        raise BucketError("no answer")

    hall.plant.landing.rename(hall.plant.landing.with_name("elsewhere"))
    hall.open_bucket = away
    pauses = []
    for _ in range(8):
        pauses.append(hall.watcher.look())
        hall.seconds += pauses[-1]
    assert pauses == sorted(pauses)
    assert pauses[-1] == 30
    assert len(hall.lines) == 1
    hall.plant.landing.with_name("elsewhere").rename(hall.plant.landing)
    hall.open_bucket = open_landing_bucket
    hall.drop("a")
    assert hall.look_after(30)
    assert hall.lines[-1].endswith("the bucket answers again")


def test_a_server_is_asked_less_often_while_nothing_comes(tmp_path: Path) -> None:
    class Server:
        """A bucket that is not a folder."""

        def __init__(self, folder: Bucket) -> None:
            self.list = folder.list

    hall = Hall(Plant(tmp_path))
    hall.open_bucket = lambda _: Server(LocalBucket(hall.plant.landing, create=True))  # type: ignore[assignment, return-value]
    hall.look_after(0)
    hall.batch()
    hall.seconds += 10
    pauses = [hall.watcher.look() for _ in range(10)]
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_PAUSE_SECONDS


def test_a_bucket_that_takes_long_to_list_is_looked_at_less_often(hall: Hall) -> None:
    hall.look_costs = 0.5
    assert hall.watcher.look() == pytest.approx(50)
    hall.drop("a")
    assert hall.look_after(50)
