"""Objects as in real buckets: joined, glued, torn, grown, binary. Tests what lands of each, and the messages."""

from __future__ import annotations

import gzip
import json
import os
import socket
from pathlib import Path
from typing import Any

import pytest
import zstandard

from ingestion.landing.replay import ReplayReport, replay_rejected
from ingestion.records import read_objects
from tests.plant import NOW, Plant

MARK = b"\xef\xbb\xbf"


def event(number: int, **fields: Any) -> bytes:
    """A valid record; each number is another instant."""
    record = {
        "timestamp": f"2026-01-15T10:{number // 60:02d}:{number % 60:02d}Z",
        "worker_id": f"W{number}",
        "workstation_id": "S3",
        "event_type": "working",
        "confidence": 0.93,
    }
    return json.dumps({**record, **fields}).encode()


E1, E2, E3, E4 = (event(number) for number in range(1, 5))
REST = (0, 1, "malformed_json", None)
PLAIN_GZIP = gzip.compress(E1 + b"\n" + E2 + b"\n" + E3 + b"\n", mtime=0)
FRAME = zstandard.ZstdCompressor(write_checksum=True)

# Content, positions of the accepted records, and rejected records by position, reason and text.
CONTENTS: dict[str, tuple[bytes, list[tuple[int, int]], list[tuple[int, int, str, str | None]]]] = {
    "values on one line, a bad rest": (
        b"%s %s oops %s\n%s" % (E1, E2, E3, E4),
        [(1, 1), (1, 2), (2, 1)],
        [(1, 3, "malformed_json", f"oops {E3.decode()}")],
    ),
    "commas between values": (b"%s, %s,\n%s%s" % (E1, E2, E3, E4), [(1, 1), (1, 2), (2, 1), (2, 2)], []),
    "two commas": (b"%s,, %s" % (E1, E2), [(1, 1)], [(1, 2, "malformed_json", f", {E2.decode()}")]),
    "a number behind an object": (b"%s 7" % E1, [(1, 1)], [(1, 2, "not_an_object", "7")]),
    "a number before an object": (b"7 %s" % E1, [], [(1, 1, "malformed_json", f"7 {E1.decode()}")]),
    "a pretty object without its brace": (
        b'{"timestamp": "x",\n "worker_id": "W1",\n "confidence": 0.9\n' + E1,
        [(4, 1)],
        [
            (1, 1, "malformed_json", '{"timestamp": "x",'),
            (2, 1, "malformed_json", '"worker_id": "W1",'),
            (3, 1, "malformed_json", '"confidence": 0.9'),
        ],
    ),
    "pretty objects in a row": (
        b"\n".join(json.dumps(json.loads(one), indent=2).encode() for one in (E1, E2, E3)),
        [(1, 1), (8, 1), (15, 1)],
        [],
    ),
    "a mark at a later line": (
        MARK + E1 + b"\n" + E2 + b"\n" + MARK + E3 + b"\n" + E4 + MARK,
        [(1, 1), (2, 1), (3, 1), (4, 1)],
        [],
    ),
    "gzip that breaks off": (PLAIN_GZIP[:-8], [(1, 1), (2, 1), (3, 1)], [REST]),
    "gzip of a wrong checksum": (PLAIN_GZIP[:-8] + b"\0" + PLAIN_GZIP[-7:], [], [REST]),
    "gzip and junk": (PLAIN_GZIP + b"junk", [], [REST]),
    "gzip of a wrong checksum and zeros": (
        PLAIN_GZIP[:-8] + b"\1\2\3" + PLAIN_GZIP[-5:] + bytes(8),
        [(1, 1), (2, 1), (3, 1)],
        [REST],
    ),
    "gzip and zeros": (PLAIN_GZIP + bytes(900), [(1, 1), (2, 1), (3, 1)], []),
    "two gzips": (PLAIN_GZIP + gzip.compress(E4), [(1, 1), (2, 1), (3, 1), (4, 1)], []),
    "two gzips, the second one torn": (PLAIN_GZIP + gzip.compress(E4)[:-8], [(n, 1) for n in range(1, 5)], [REST]),
    "two zstd frames and skippable ones": (
        b"\x50\x2a\x4d\x18\2\0\0\0ab" + FRAME.compress(E1 + b"\n") + b"\x5f\x2a\x4d\x18\0\0\0\0" + FRAME.compress(E2),
        [(1, 1), (2, 1)],
        [],
    ),
    "zstd that breaks off in its second frame": (
        FRAME.compress(E1 + b"\n") + FRAME.compress(E2)[:-5],
        [(1, 1)],
        [REST],
    ),
    "zstd of a wrong checksum": (FRAME.compress(E1)[:-1] + b"\0", [], [REST]),
    "zero bytes at the end": (E1 + b"\n" + E2 + b"\n" + bytes(900), [(1, 1), (2, 1)], [REST]),
    "a zero byte as a line": (
        E1 + b"\n\0\n" + E2,
        [(1, 1), (3, 1)],
        [(2, 1, "malformed_json", "\0")],
    ),
    "arrays in a row": (
        b"[7,\n%s,8]%s\n[]\n[%s]," % (E1, E2, E3),
        [(2, 1), (2, 3), (4, 1)],
        [(1, 1, "not_an_object", "7"), (2, 2, "not_an_object", "8")],
    ),
    "an array in an array": (E1 + b"\n[[" + E2 + b"]]", [(1, 1)], [(2, 1, "not_an_object", f"[{E2.decode()}]")]),
    "one array": (b"[%s,\n7,%s]" % (E1, E2), [(1, 1), (3, 1)], [(2, 1, "not_an_object", "7")]),
    "a last array without its end": (
        b'%s\n[%s,{},{"times' % (E1, E2),
        [(1, 1), (2, 1)],
        [REST, (2, 2, "missing_field", "{}")],
    ),
    "a last object without its end": (E1 + b'\n{"times', [(1, 1)], [(2, 1, "malformed_json", '{"times')]),
    "UTF-16 with a mark": (b"%s\n%s".__mod__((E1, E2)).decode().encode("utf-16"), [(1, 1), (2, 1)], []),
    "UTF-16 without a mark": (
        (E1 + b"\n" + event(2, worker_id="Jörg 😀")).decode().encode("utf-16-be"),
        [(1, 1), (2, 1)],
        [],
    ),
    "UTF-16 that breaks off": (
        gzip.compress(f"{E1.decode()}\n{E2.decode()}".encode("utf-16-le")[:-1])[:-8],
        [(1, 1)],
        [REST],
    ),
    "glued objects": (b"".join(map(event, range(300))), [(1, part) for part in range(1, 301)], []),
    "nothing but zero bytes": (bytes(100), [], [REST]),
}


@pytest.fixture(scope="module")
def landed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[list[Any], list[Any]]]:
    """The result of landing all contents in one batch: positions of accepted records, and rejected records."""
    plant = Plant(tmp_path_factory.mktemp("contents"))
    for number, (content, _, _) in enumerate(CONTENTS.values()):
        plant.drop(f"events/{number}.json", content)
    plant.land()
    events, rejected = plant.raw("events"), plant.raw("rejected_records")
    found = {}
    for one in plant.raw("landed_objects"):
        own = one["object_id"]
        found[list(CONTENTS)[int(one["object_key"][7:-5])]] = (
            sorted((row["position"], row["part"]) for row in events if row["object_id"] == own),
            sorted(
                (row["position"], row["part"], row["reason"], row["payload"])
                for row in rejected
                if row["object_id"] == own
            ),
        )
    return found


@pytest.mark.parametrize("name", CONTENTS)
def test_every_value_of_an_object_is_read_and_the_rest_is_rejected(
    landed: dict[str, tuple[list[Any], list[Any]]], name: str
) -> None:
    _, accepted, rejected = CONTENTS[name]
    assert landed[name] == (accepted, rejected)


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"\0\0\0\x20ftypisom", "a video (MP4)"),
        (b"PK\x03\x04", "a ZIP archive, or an Office document"),
        (b"SQLite format 3\0", "an SQLite database"),
        (b"PAR1", "a Parquet file"),
        (b"\xff\xd8\xff\xe0", "a picture (JPEG)"),
        (b"\x07\x91", "data of an unknown kind"),
    ],
)
def test_bytes_that_are_no_text_are_one_rejected_record_that_says_what_they_seem_to_be(
    plant: Plant, start: bytes, kind: str
) -> None:
    plant.drop("events/clip.json", start + bytes(range(256)) * 4000)
    plant.land()
    (one,) = plant.raw("rejected_records")
    assert (one["position"], one["part"], one["payload"]) == (0, 1, None)
    assert one["detail"] == f"The object is not text: its bytes seem to be {kind}. Expected JSON."


def test_a_torn_object_says_how_it_is_torn_and_how_large_it_is(plant: Plant) -> None:
    plant.drop("events/a.json.gz", PLAIN_GZIP[:-8])
    plant.land()
    assert plant.raw("rejected_records")[0]["detail"] == (
        f"The object of {len(PLAIN_GZIP) - 8} bytes is torn: its gzip data ends before its end mark. "
        "The records before the tear are read, the rest is lost."
    )


def test_names_in_any_letter_case_are_read_and_others_are_named_after_an_hour(plant: Plant) -> None:
    read = ["EVENTS.JSON", "b.Json", "c.JSONL", "d.json.GZ", "e.json.gzip", "j.json.zstd", "p.json.gz.json"]
    unread = ["f.log", "g.txt", "h.json.bz2", "i", "k.json.1", "l.json.bak", "o.geojson", "q.csv"]
    ignored = [".hidden/v.json", "_cam1/u.json", "m.json.tmp", "n.json.part"]
    for number, name in enumerate([*read, *unread, *ignored, "young.log"]):
        content = gzip.compress(event(number)) if name.endswith(("GZ", "gzip")) else event(number)
        path = plant.drop(f"events/{name}", content)
        at = NOW.timestamp() - (60 if name == "young.log" else 7200)
        os.utime(path, (at, at))
    said: list[str] = []
    report = plant.land(log=said.append)
    assert (report.objects, report.accepted, report.unread) == (7, 7, 8)
    assert sorted(one["object_key"] for one in plant.raw("unread_objects")) == [f"events/{name}" for name in unread]
    (line,) = [one for one in said if "not read" in one]
    assert line.startswith("8 not read, as their names do not end in .json")
    assert all(f"events/{name}" in line for name in unread)


def test_no_link_is_followed_and_each_is_named(plant: Plant, tmp_path: Path) -> None:
    store = tmp_path / "store"
    store.mkdir()
    (store / "b.json").write_bytes(E2)
    plant.drop("events/cam/a.json", E1)
    events = plant.landing / "events"
    (events / "cam/loop").symlink_to("..")
    (events / "b.json").symlink_to(store / "b.json")
    (events / "folder").symlink_to(store)
    (events / "dangling.json").symlink_to("nowhere")
    os.mkfifo(events / "pipe.json")
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(events / "socket.json"))
    links = ["events/b.json", "events/cam/loop", "events/dangling.json", "events/folder"]
    for accepted in (1, 0):
        said: list[str] = []
        assert plant.land(log=said.append).accepted == accepted
        assert f"4 not read, as no link in the bucket is followed: {', '.join(links)}" in said
        assert "2 not read, as they are neither files nor folders: events/pipe.json, events/socket.json" in said
        assert not any("put back" in line for line in said)
    assert (store / "b.json").read_bytes() == E2
    assert sorted(path.name for path in events.rglob("*") if path.is_symlink()) == [
        "b.json",
        "dangling.json",
        "folder",
        "loop",
    ]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another owner")
def test_a_hard_link_to_a_file_of_another_owner_is_not_read(plant: Plant, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(E2)
    os.chown(secret, 1234, 1234)
    plant.drop("events/a.json", E1)
    os.link(secret, plant.landing / "events/b.json")
    said: list[str] = []
    assert plant.land(log=said.append).accepted == 1
    assert "1 not read, as they are hard links to files of another owner: events/b.json" in said


def test_a_later_content_of_a_key_supersedes_the_rejected_records_of_the_earlier_one(plant: Plant) -> None:
    plant.drop("events/a.jsonl", E1 + b"\nx\n{}")
    plant.land()
    plant.drop("events/a.jsonl", E2 + b"\ny")
    plant.land()
    found = {one["payload"]: one["superseded_at"] for one in plant.raw("rejected_records")}
    assert found == {"x": NOW, "{}": NOW, "y": None}
    assert len(plant.raw("events")) == 2


def test_ten_thousand_rejected_records_have_rows_and_one_more_counts_the_others(plant: Plant) -> None:
    plant.drop("events/a.jsonl", b"x\n" * 10_007 + E1)
    said: list[str] = []
    plant.land(log=said.append)
    (one,) = plant.raw("landed_objects")
    assert (one["records"], one["accepted"], one["rejected"]) == (10_008, 1, 10_007)
    rejected = plant.raw("rejected_records")
    assert len(rejected) == 10_001
    (more,) = [row for row in rejected if row["position"] == 0]
    assert (more["part"], more["reason"], more["payload"]) == (2, "not_listed", None)
    assert more["detail"].startswith("7 more records of the object are rejected")
    assert "1 objects have more than 10,000 rejected records, of which the first have rows: events/a.jsonl" in said


def test_unexpected_fields_are_bounded_and_their_names_are_cut(plant: Plant) -> None:
    names = {f"{number:05d}" + "n" * 200: 1 for number in range(300)}
    plant.drop("events/a.jsonl", event(1, **names))
    said: list[str] = []
    plant.land(log=said.append)
    (one,) = plant.raw("landed_objects")
    assert one["unexpected_fields"] == [name[:100] for name in sorted(names)][:200]
    assert any("have more than 200 fields that nobody expects" in line for line in said)


def test_a_site_keeps_a_thousand_names_of_unexpected_fields(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingestion.landing.unexpected_fields.MAX_SITE_FIELDS", 3)
    for number in range(5):
        plant.drop(f"events/{number}.json", event(number, **{f"f{9 - number}": 1}))
    said: list[str] = []
    plant.land(log=said.append)
    assert sorted({one["field"] for one in plant.raw("unexpected_fields")}) == ["f5", "f6", "f7"]
    assert any("site default sends more than" in line for line in said)


def test_of_an_object_with_such_fields_fifty_cameras_are_named_so_that_no_product_grows(plant: Plant) -> None:
    names = {f"f{number:03d}": 1 for number in range(200)}
    lines = [event(number, camera_id=f"C{number:03d}") for number in range(120)]
    plant.drop("events/a.jsonl", b"\n".join([*lines, event(0, camera_id="C000", **names)]))
    said: list[str] = []
    plant.land(log=said.append)
    rows = plant.raw("unexpected_fields")
    assert len(rows) == 200 * 50
    assert {one["camera_id"] for one in rows} == {f"C{number:03d}" for number in range(50)}
    assert any("more than 50 cameras, of which the first in byte order are named" in line for line in said)


def test_what_a_writer_adds_to_an_archived_file_lands_as_new_content_and_the_writer_is_named(plant: Plant) -> None:
    path = plant.drop("events/cam1.jsonl", b"")
    with path.open("ab", buffering=0) as file:
        file.write(b"".join(event(number) + b"\n" for number in range(20)))
        assert plant.land().accepted == 20
        file.write(b"".join(event(number) + b"\n" for number in range(20, 50)) + b'{"torn')
        said: list[str] = []
        report = plant.land(log=said.append)
        assert (report.accepted, report.growing) == (50, 1)
        assert "1 objects have a writer that goes on after they were landed: events/cam1.jsonl" in said
        assert plant.land().objects == 0
    assert len({one["worker_id"] for one in plant.raw("events")}) == 50
    (torn,) = plant.raw("rejected_records")
    assert (torn["reason"], torn["position"], torn["superseded_at"]) == ("malformed_json", 51, None)


@pytest.mark.parametrize("again", [(3, 4), (3,), (3, 4, 5)])
def test_what_a_writer_writes_in_place_of_an_archived_file_lands_once(plant: Plant, again: tuple[int, ...]) -> None:
    path = plant.drop("events/cam1.jsonl", E1 + b"\n" + E2 + b"\n")
    with path.open("r+b", buffering=0) as file:
        plant.land()
        file.truncate(0)
        assert plant.land().objects == 0
        file.write(b"".join(event(number) + b"\n" for number in again))
        said: list[str] = []
        report = plant.land(log=said.append)
    assert (report.accepted, report.growing) == (len(again), 1)
    assert "1 objects have a writer that goes on after they were landed: events/cam1.jsonl" in said
    assert plant.land().objects == 0
    assert sorted(one["worker_id"] for one in plant.raw("events")) == ["W1", "W2", *(f"W{one}" for one in again)]


def test_with_still_seconds_an_object_is_archived_only_when_it_was_still_after_it_was_read(tmp_path: Path) -> None:
    from datetime import timedelta

    plant = Plant(tmp_path, still_seconds=60)
    path = plant.drop("events/a.jsonl", E1)
    os.utime(path, (NOW.timestamp() - 100, NOW.timestamp() - 100))
    assert (plant.land().archived, path.exists()) == (0, True)
    assert plant.land(NOW + timedelta(seconds=59)).archived == 0
    assert (plant.land(NOW + timedelta(seconds=60)).archived, path.exists()) == (1, False)


def test_a_torn_object_is_read_again_from_the_archive_by_a_replay(plant: Plant) -> None:
    plant.drop("events/a.json.gz", PLAIN_GZIP[:-8])
    plant.drop("events/b.jsonl", b"x\n" * 5)
    plant.land()
    assert replay_rejected(plant.settings).accepted == 0
    (kept,) = (plant.landing / "archive/events").glob("a.*")
    kept.write_bytes(PLAIN_GZIP)
    replay_rejected(plant.settings)
    assert [one["payload"] for one in plant.raw("rejected_records")] == ["x"] * 5
    assert len(plant.raw("events")) == 3
    assert replay_rejected(plant.settings) == ReplayReport(tried=5, accepted=0)


def test_the_bound_of_rows_is_that_of_the_contract() -> None:
    assert (read_objects.MAX_LISTED, read_objects.MAX_FIELDS, read_objects.MAX_FIELD_LENGTH) == (10_000, 200, 100)
