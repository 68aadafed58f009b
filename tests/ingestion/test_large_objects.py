"""Objects too large to be held: read in blocks of lines, with the same outcome and in little memory."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
import zstandard

from ingestion.bucket import FetchedObject, LocalBucket, S3Bucket, local, open_bucket, s3
from ingestion.landing import batch, pipeline
from ingestion.records import blocks, opening, slices
from tests.peak_memory import land_apart
from tests.plant import Plant
from tests.properties.awkward_objects import awkward_object

LIMITS = {"max_object_bytes": 200_000, "max_record_bytes": 1000}


def event(number: int, **fields: Any) -> bytes:
    record = {
        "timestamp": "2026-01-15T10:15:00Z",
        "worker_id": f"W{number}",
        "workstation_id": "S3",
        "event_type": "working",
        "confidence": 0.93,
    }
    return json.dumps({**record, **fields}).encode() + b"\n"


@pytest.fixture
def little_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (opening, pipeline, batch):
        monkeypatch.setattr(module, "HELD_BYTES", 300)
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 700)
    for module in (local, s3):
        monkeypatch.setattr(module, "PIECE_BYTES", 500)


def put(plant: Plant, key: str, content: bytes) -> None:
    open_bucket(plant.settings.landing_url, create=True).put(key, content)


def overwrite(bucket: Any, key: str, content: bytes) -> None:
    """Overwrite an object as a writer does that cannot rename."""
    if isinstance(bucket, LocalBucket):
        (bucket.root / key).write_bytes(content)
    else:
        bucket.put(key, content)


def stored(plant: Plant) -> list[list[dict[str, Any]]]:
    tables = [plant.raw(table) for table in ("landed_objects", "events", "rejected_records", "unexpected_fields")]
    ids = {one["object_id"]: one["object_key"] for one in tables[0]}
    rows = [[{**row, "object_id": ids[row["object_id"]]} for row in table] for table in tables]
    return [sorted(table, key=repr) for table in rows]


@pytest.mark.parametrize("seed", range(3))
def test_objects_read_in_blocks_are_stored_as_those_that_are_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    random = Random(seed)
    objects = [awkward_object(number, random) for number in range(150)]
    filler = b"".join(event(number) for number in range(6))
    long_line = b"y" * random.choice([998, 999, 1000, 1001, 5000])
    spaces = b" " * random.choice([10, 2000, 9000])
    for number, content in enumerate(
        [
            filler + long_line + b"\n" + filler,
            filler + spaces + event(7).strip() + spaces + b"\n" + spaces + b"\r\n" + filler,
            filler + event(7).strip() + spaces + b"7\n" + filler,
            b"\xef\xbb\xbf" + filler * 3,
            b"{" + filler * 3,
            long_line + b"\n" + filler,
            filler.replace(b"\n", b"") * 5 + b"oops",
            filler + b"[" + filler.replace(b"\n", b",\n")[:-20],
            b"[" + filler.replace(b"\n", b",\n").strip()[:-1] + b"]",
        ]
    ):
        objects += [
            (f"events/long-{number}.jsonl", content),
            (f"events/long-{number}.jsonl.gz", gzip.compress(content)),
            (f"events/long-{number}.jsonl.zst", zstandard.compress(content)),
            (f"events/cut-{number}.jsonl.gz", gzip.compress(content)[:-1]),
            (f"events/half-{number}.json", gzip.compress(content)[:-40]),
            (f"events/zeros-{number}.json", content + bytes(50)),
            (f"events/utf-16-{number}.json", content.decode().encode("utf-16")),
        ]
    plants = [Plant(tmp_path / name, **LIMITS) for name in ("held", "blocks")]
    for key, content in objects:
        for plant in plants:
            plant.drop(key, content)
    plants[0].land()
    for module in (opening, pipeline, batch):
        monkeypatch.setattr(module, "HELD_BYTES", random.choice([0, 300]))
    monkeypatch.setattr(blocks, "BLOCK_BYTES", random.choice([1, 700]))
    plants[1].land()
    for held, in_blocks in zip(*map(stored, plants), strict=True):
        assert in_blocks == held
    assert plants[1].land().objects == 0


@pytest.mark.usefixtures("little_is_held")
@pytest.mark.parametrize("at", [0, 20])
def test_an_object_replaced_while_it_is_read_in_blocks_is_never_landed_in_part(
    either: Plant, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    put(either, "events/large.jsonl", b"".join(map(event, range(100))))
    put(either, "events/small.jsonl", event(1000))
    new = b"".join(map(event, range(500, 640)))

    said: list[str] = []
    with monkeypatch.context() as patched:
        for kind in (LocalBucket, S3Bucket):

            def replacing(self: Any, fetched: FetchedObject, pieces: Any = kind.pieces) -> Iterator[bytes]:
                for number, piece in enumerate(pieces(self, fetched)):
                    if number == at:
                        overwrite(self, fetched.key, new)
                    yield piece

            patched.setattr(kind, "pieces", replacing)
        assert either.land(log=said.append).objects == 1
    assert "events/large.jsonl was replaced while it was read; the next batch lands what is there then" in said
    assert [one["worker_id"] for one in either.raw("events")] == ["W1000"]
    assert either.land().accepted == 140
    assert list(open_bucket(either.settings.landing_url).list("events/")) == []


@pytest.mark.usefixtures("little_is_held")
def test_a_document_longer_than_can_be_held_is_rejected_and_lines_with_a_bad_first_one_are_not(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (opening, blocks):
        monkeypatch.setattr(module, "DOCUMENT_BYTES", 2000)
    lines = b"".join(map(event, range(50)))
    plant.drop("events/array.json", b"[" + b",".join(lines.splitlines()) + b"]")
    plant.drop("events/pretty.json", b'{\n"events": [\n' + b",\n".join(lines.splitlines()) + b"\n]}")
    plant.drop("events/bad-first-line.jsonl", b"{\n" + lines)
    plant.drop("events/short-array.json", b"[" + event(1) + b"]")
    assert plant.land().accepted == 51
    sentence = "The object is one JSON document; at most 2,000 bytes of one are read."
    assert sorted((one["position"], one["detail"]) for one in plant.raw("rejected_records"))[:2] == [(0, sentence)] * 2
    assert len(plant.raw("rejected_records")) == 3


@pytest.mark.parametrize("held_bytes", [0, 1 << 20])
def test_an_object_of_too_many_records_is_one_rejected_record(
    plant: Plant, monkeypatch: pytest.MonkeyPatch, held_bytes: int
) -> None:
    for module in (opening, pipeline, batch):
        monkeypatch.setattr(module, "HELD_BYTES", held_bytes)
    plant.settings = plant.settings.model_copy(update={"max_object_records": 5})
    lines = [event(number) for number in range(6)]
    contents = {"many.jsonl": b"".join(lines), "many.json": b"[" + b",".join(lines) + b"]", "blank.jsonl": b"\n" * 6}
    for name, content in contents.items():
        plant.drop(f"events/{name}", content)
        plant.drop(f"events/{name}.gz", gzip.compress(content))
    plant.drop("events/as-many.jsonl", b"".join(lines[:5]))
    assert plant.land().accepted == 5
    rejected = plant.raw("rejected_records")
    sentence = "The object has more than 5 records, the maximum."
    assert [(one["position"], one["reason"], one["detail"]) for one in rejected] == [
        (0, "malformed_json", sentence)
    ] * 6


@pytest.mark.parametrize("slice_records", [1, 2, 7])
def test_many_short_records_make_smaller_slices_and_keep_their_places(
    plant: Plant, monkeypatch: pytest.MonkeyPatch, slice_records: int
) -> None:
    monkeypatch.setattr(slices, "SLICE_RECORDS", slice_records)
    plant.drop("events/a.jsonl", b"1\n\n" + event(3) + b"\n\n\n7\n" * 3 + event(16) + event(17).strip())
    plant.drop("events/b.jsonl", b"".join(event(number) for number in range(1, 9)))
    plant.drop("events/c.json", b"[1," + event(2) + b"," + event(3) + b"]")
    plant.land()
    keys = {one["object_id"]: one["object_key"] for one in plant.raw("landed_objects")}
    events = [(keys[one["object_id"]], one["position"], one["worker_id"]) for one in plant.raw("events")]
    expected = [("a", 3), ("a", 16), ("a", 17), *(("b", number) for number in range(1, 9)), ("c", 2), ("c", 3)]
    assert sorted(events) == [
        (f"events/{name}.json{'' if name == 'c' else 'l'}", number, f"W{number}") for name, number in expected
    ]
    rejected = [(keys[one["object_id"]], one["position"]) for one in plant.raw("rejected_records")]
    assert sorted(rejected) == [*(("events/a.jsonl", number) for number in (1, 7, 11, 15)), ("events/c.json", 1)]


@pytest.mark.slow
def test_the_memory_that_a_landing_takes_does_not_grow_with_the_object(tmp_path: Path) -> None:
    lines = b"".join(event(number, workstation_id="S" * 60, camera_id="C" * 60) for number in range(1000))
    packed = gzip.compress(lines * 100, compresslevel=1)
    peaks = []
    for megabytes in (225, 675):
        plant = Plant(tmp_path / str(megabytes))
        times = megabytes * 1_000_000 // len(lines)
        with plant.drop("events/plain.jsonl", b"").open("wb") as file:
            file.writelines(lines for _ in range(times))
        plant.drop("events/packed.jsonl.gz", packed * (times // 100))
        accepted, peak = land_apart(plant.settings.data_dir)
        assert accepted == 1000 * times + 100_000 * (times // 100)
        peaks.append(peak)
    assert peaks[1] < 1.5 * peaks[0]  # for three times the bytes


@pytest.mark.slow
def test_the_memory_that_a_landing_takes_does_not_grow_with_what_it_rejects(tmp_path: Path) -> None:
    peaks = []
    for lines in (700_000, 1_200_000):
        plant = Plant(tmp_path / str(lines))
        plant.drop("events/hopeless.jsonl", b"{}\n" * lines)
        accepted, peak = land_apart(plant.settings.data_dir)
        assert accepted == 0
        peaks.append(peak)
    assert peaks[1] < peaks[0] + 150_000  # kilobytes
