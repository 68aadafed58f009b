"""Landing and replay killed at many points, in both kinds of bucket: the next run completes what the killed one began.

Each plant is killed repeatedly, each time with new objects in its bucket. In the end its marts equal those of a plant
that landed the same objects undisturbed.
"""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ingestion.bucket import open_bucket
from ingestion.contract import events
from ingestion.landing.replay import replay_rejected
from tests.ingestion.mortal import Mortal
from tests.plant import Plant, assert_same_marts
from tests.s3_server import BUCKET

POINTS = 16  # for each kind of bucket, spread over all steps of a batch
# Every landing writes a log of a few kilobytes, then the warehouse of some hundred kilobytes.
FILE_BYTES = (100, 700, 1500, 3000, 30_000)


@pytest.fixture(scope="module")
def killer() -> Iterator[Mortal]:
    with Mortal() as one:
        yield one


@pytest.fixture(params=["local", "s3"])
def make_plant(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], Plant]:
    """Returns plants by name, on the kind of bucket of the parameter."""
    if request.param == "local":
        return lambda name: Plant(tmp_path / name)
    for name, value in request.getfixturevalue("s3_environment").items():
        monkeypatch.setenv(name, value)
    return lambda name: Plant(tmp_path / name, landing_url=f"s3://{BUCKET}/{tmp_path.name}/{name}")


def drop(plant: Plant, number: int, fraction: str = "") -> None:
    """Drop five objects.

    One has the key of an earlier one with other content, unless the earlier one has not landed yet.
    """
    bucket = open_bucket(plant.settings.landing_url, create=True)
    for index in range(5):
        events: list[object] = [
            {
                "timestamp": f"2026-01-{1 + number % 28:02}T{6 + index:02}:{minute:02}:00{fraction}Z",
                "worker_id": f"W{number}",
                "workstation_id": f"S{index}",
                "event_type": "working" if minute else "product_count",
                "confidence": 0.9,
                "zone": 1,
            }
            for minute in (0, 30)
        ]
        name = "always-this-name" if index == 0 and (number - 1) % 3 else f"{number}-{index}"
        lines = "".join(json.dumps(one) + "\n" for one in [*events, 7])
        bucket.put(f"events/site_id=A/camera_id=c{index}/{name}.jsonl", lines.encode())


@pytest.mark.slow
def test_a_landing_killed_at_any_point_is_completed_by_the_next_one(
    make_plant: Callable[[str], Plant], killer: Mortal
) -> None:
    plant, undisturbed = make_plant("plant"), make_plant("undisturbed")
    drop(plant, 0)
    code, steps = killer.run(plant)
    assert (code, plant.waiting_keys()) == (0, [])
    assert steps > 100
    orders: list[dict[str, int]] = [{"step": 1 + point * (steps - 1) // POINTS} for point in range(POINTS)]
    orders += [{"file_bytes": size} for size in FILE_BYTES]
    deaths = []
    for number, order in enumerate(orders, 1):
        drop(plant, number)
        deaths.append(killer.run(plant, "land", **order)[0])
        if number % 3:  # otherwise the next run is killed too, over the remnants of this one
            plant.land()
            assert plant.waiting_keys() == []
            assert len(plant.raw("events")) == 10 * (number + 1), order
            assert len(plant.raw("rejected_records")) == 5 * (number + 1), order
    assert deaths.count(-signal.SIGKILL) == POINTS
    assert deaths.count(-signal.SIGXFSZ) == len(FILE_BYTES)
    plant.land()
    assert plant.waiting_keys() == []
    for number in range(len(orders) + 1):
        drop(undisturbed, number)
        undisturbed.land()
    assert_same_marts(plant, undisturbed)


@pytest.mark.slow
def test_a_batch_killed_while_it_lands_a_grown_file_again_loses_and_doubles_nothing(
    tmp_path: Path, killer: Mortal
) -> None:
    plant = Plant(tmp_path)

    def line(number: int) -> str:
        at = f"2026-01-05T06:{number:02}:00Z"
        fields = {"worker_id": "W1", "workstation_id": "S1", "event_type": "working", "confidence": 0.9}
        return json.dumps({"timestamp": at, **fields}) + "\n"

    def instants() -> int:
        return len({row["event_at"] for row in plant.raw("events")})

    with plant.drop("events/cam.jsonl", line(0)).open("a", buffering=1) as writer:
        plant.land()
        writer.write(line(1))
        code, steps = killer.run(plant)
        assert (code, instants()) == (0, 2)
        for number in range(2, 10):
            writer.write(line(number))
            step = 1 + (number - 2) * (steps - 1) // 8
            assert killer.run(plant, step=step)[0] == -signal.SIGKILL, step
            assert instants() in (number, number + 1)
            plant.land()
            assert instants() == number + 1, step
            report = plant.land()
            assert (report.objects, report.growing) == (0, 0), step
    kept = [path for path in (plant.landing / "archive/events").rglob("*") if path.is_file()]
    assert [path.read_text() for path in kept] == ["".join(map(line, range(10)))]


def test_a_replay_killed_at_any_point_moves_every_record_exactly_once(
    tmp_path: Path, killer: Mortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rejected(name: str) -> Plant:
        """A plant that landed under too narrow a rule. One of its objects has no record to judge again."""
        plant = Plant(tmp_path / name)
        drop(plant, 0, fraction=".1234567")  # finer than microseconds: read on the exact path, which is changed here
        plant.drop("events/untouched.jsonl", '{"worker_id": "W1"}\n')
        with monkeypatch.context() as narrow:
            narrow.setattr(events, "EVENT_TYPES", ("working",))
            plant.land()
        assert len(plant.raw("rejected_records")) == 5 + 5 + 1
        return plant

    undisturbed = rejected("undisturbed")
    before = undisturbed.raw("landed_objects")
    code, steps = killer.run(undisturbed, "replay")
    assert (code, len(undisturbed.raw("events"))) == (0, 10)
    changed = [one["object_key"] for one in undisturbed.raw("landed_objects") if one not in before]
    assert len(changed) == 5
    assert "events/untouched.jsonl" not in changed
    plant = rejected("plant")
    for step in range(1, steps + 1, max(1, steps // POINTS)):
        assert killer.run(plant, "replay", step=step)[0] == -signal.SIGKILL, step
        landed, records = len(plant.raw("events")), len(plant.raw("rejected_records"))
        assert (landed, records) in ((5, 11), (10, 6))
    replay_rejected(plant.settings)
    for table in ("events", "rejected_records", "landed_objects", "unexpected_fields"):
        assert plant.raw(table) == undisturbed.raw(table)
