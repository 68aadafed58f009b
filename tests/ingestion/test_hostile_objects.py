"""Objects made to do harm: each ends as a rejected record or object, within bounded memory and time."""

import gzip
import json
import os
from pathlib import Path

import pytest
import zstandard

from tests.peak_memory import land_apart
from tests.plant import NOW, Plant

GOOD = json.dumps(
    {
        "timestamp": "2026-01-15T10:15:00Z",
        "worker_id": "W1",
        "workstation_id": "S3",
        "event_type": "working",
        "confidence": 0.93,
    }
).encode()
GIGABYTE = 1 << 30


def rejected(plant: Plant) -> list[tuple[int, str, str]]:
    return [(one["position"], one["reason"], one["detail"]) for one in plant.raw("rejected_records")]


def gzip_bomb(size: int) -> bytes:
    """A compressed line of `size` bytes, made of many small streams: no single stream shows the size."""
    stream = gzip.compress(b"0" * (size // 1000))
    return stream * 1000


def test_an_object_that_unpacks_beyond_the_limit_is_one_rejected_record(tmp_path: Path) -> None:
    plant = Plant(tmp_path, max_object_bytes=10_000_000)
    plant.drop("events/a.jsonl.gz", gzip_bomb(100_000_000))
    plant.drop("events/b.jsonl.zst", zstandard.compress(b"0" * 100_000_000))
    plant.drop("events/c.jsonl", GOOD)
    report = plant.land()
    assert (report.records, report.accepted, report.archived) == (3, 1, 3)
    sentence = "The object cannot be decompressed: it unpacks to more than 10,000,000 bytes."
    assert rejected(plant) == [(0, "malformed_json", sentence)] * 2


def test_an_object_larger_than_the_limit_is_never_read_and_is_archived(tmp_path: Path) -> None:
    plant = Plant(tmp_path, max_object_bytes=10_000_000)
    path = plant.drop("events/a.jsonl", b"")
    os.truncate(path, 2 * GIGABYTE)  # a sparse file, which takes no space on the disk
    plant.land()
    assert rejected(plant) == [
        (0, "malformed_json", "The object has 2,147,483,648 bytes; at most 10,000,000 are read."),
    ]
    assert [kept.stat().st_size for kept in (plant.landing / "archive/events").iterdir()] == [2 * GIGABYTE]
    assert plant.land().objects == 0


def test_a_record_larger_than_the_limit_is_rejected_and_its_neighbours_land(plant: Plant) -> None:
    huge = b'{"zone": "' + b"x" * 2_000_000 + b'"}'
    plant.drop("events/a.jsonl", b"\n".join([GOOD, huge, GOOD.replace(b"W1", b"W2")]))
    plant.drop("events/b.json", b"[" + GOOD.replace(b"W1", b"W3") + b"," + huge + b"]")
    plant.land()
    sentence = "The record has more than 1,048,576 bytes, the maximum. Its text is cut."
    assert rejected(plant) == [(2, "malformed_json", sentence)] * 2
    assert [event["worker_id"] for event in plant.raw("events")] == ["W1", "W2", "W3"]
    assert all(len(one["payload"]) == 4096 for one in plant.raw("rejected_records"))


def test_a_hundred_thousand_levels_of_nesting_are_one_rejected_record(plant: Plant) -> None:
    plant.drop("events/a.jsonl", GOOD + b'\n{"zone": ' + b"[" * 100_000 + b"]" * 100_000 + b"}\n")
    plant.drop("events/b.json", b"[" * 100_000)
    plant.land()
    assert [(position, reason) for position, reason, _ in rejected(plant)] == [
        (2, "malformed_json"),
        (0, "malformed_json"),  # an array without its end
    ]


def test_a_record_with_very_many_members_lands(plant: Plant) -> None:
    members = {f"k{number}": number for number in range(50_000)}
    plant.drop("events/a.jsonl", json.dumps({**json.loads(GOOD), **members}))
    assert plant.land().accepted == 1
    assert len(plant.raw("landed_objects")[0]["unexpected_fields"]) == 200


@pytest.mark.parametrize(
    "name", ["'; drop table raw.events; --.jsonl", 'a\nb\t"c".jsonl', "..jsonl.jsonl", "$(reboot) `x` {{ x }}.jsonl"]
)
def test_a_key_is_a_name_and_nothing_else(plant: Plant, name: str) -> None:
    plant.drop(f"events/{name}", GOOD)
    accepted = plant.land().accepted
    hidden = name.startswith(".")
    assert accepted == (0 if hidden else 1)
    assert [one["object_key"] for one in plant.raw("landed_objects")] == ([] if hidden else [f"events/{name}"])
    assert plant.land().objects == 0


def test_a_bomb_of_ten_gigabytes_takes_little_memory(tmp_path: Path) -> None:
    plant = Plant(tmp_path)
    plant.drop("events/a.jsonl.gz", gzip_bomb(10 * GIGABYTE))
    plant.drop("events/b.jsonl.zst", zstandard.compress(b"0" * (GIGABYTE // 32)) * 320)
    accepted, peak = land_apart(tmp_path)
    assert (accepted, len(rejected(plant))) == (0, 2)
    assert peak < 500_000


def test_with_still_seconds_an_object_lands_when_it_has_been_left_alone_for_so_long(tmp_path: Path) -> None:
    plant = Plant(tmp_path, still_seconds=60)
    for name, age in (("being-written", 59), ("settled", 61)):
        path = plant.drop(f"events/{name}.jsonl", GOOD)
        os.utime(path, (NOW.timestamp() - age, NOW.timestamp() - age))
    plant.land()
    assert [one["object_key"] for one in plant.raw("landed_objects")] == ["events/settled.jsonl"]
