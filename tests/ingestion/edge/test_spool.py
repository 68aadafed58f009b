import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ingestion.edge import EdgeSettings, RecordRefusedError, Spool, SpoolError, SpoolFullError
from ingestion.edge.camera import split_torn
from ingestion.edge.disk import BLOCK_BYTES
from tests.ingestion.edge.gateway import SMALL_OBJECTS, Gateway, fill


def test_records_arrive_in_their_order_as_one_json_line_each(gateway: Gateway) -> None:
    gateway.spool.append({"n": 1, "worker_id": "Jörg", "confidence": 0.93})
    gateway.spool.append_many([b'{"n": 2}\n', b"{ not json"])
    assert gateway.upload()
    assert list(gateway.objects().values()) == [
        b'{"n":1,"worker_id":"J\\u00f6rg","confidence":0.93}\n{"n": 2}\n{ not json\n'
    ]


def test_an_object_is_sealed_when_it_has_the_greatest_count(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path, object_max_events=3)
    gateway.spool.append_many([{"n": n} for n in range(7)])
    assert [name.rsplit("_", 1)[1] for name in gateway.spooled()[:2]] == ["e3.jsonl", "e3.jsonl"]
    assert gateway.spooled()[2].endswith(".open")
    gateway.upload()
    assert [content.count(b"\n") for content in gateway.objects().values()] == [3, 3, 1]
    assert gateway.events() == [*range(7)]


def test_no_object_is_larger_than_the_greatest_size(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path, object_max_bytes=256)
    for n in range(20):
        gateway.spool.append({"n": n, "note": "x" * (n * 10)})
    gateway.upload()
    assert max(map(len, gateway.objects().values())) <= 256
    assert len(gateway.objects()) > 3
    assert gateway.events() == [*range(20)]


def test_every_camera_has_its_own_objects(gateway: Gateway) -> None:
    for n in range(4):
        gateway.spool.append({"n": n}, camera_id=f"C{n % 2}")
        gateway.spool.append({"n": n}, site_id="south", camera_id="C0")
    gateway.upload()
    folders = sorted({key.rsplit("/", 2)[0] for key in gateway.objects()})
    assert folders == [
        "events/site_id=north/camera_id=C0",
        "events/site_id=north/camera_id=C1",
        "events/site_id=south/camera_id=C0",
    ]
    assert gateway.events("C1") == [1, 3]


@pytest.mark.parametrize(
    ("record", "why"),
    [
        (b"", "is empty"),
        (b" \r\n", "is empty"),
        (b'{"a": 1}\n{"a": 2}', "has a line break in it"),
        (b"\0", "zero byte"),
        (b"x" * 1_048_576, "has 1048577 bytes; allowed: 1048576"),
        ({"confidence": float("nan")}, "cannot be written as JSON"),
        ({"at": datetime(2026, 1, 1, tzinfo=UTC)}, "cannot be written as JSON"),
        ("a text", "is of the type str"),
    ],
    ids=["empty", "blank", "two lines", "zero byte", "too long", "not a number", "no JSON type", "text"],
)
def test_what_cannot_be_one_line_is_refused_and_nothing_of_the_call_is_taken(
    gateway: Gateway, record: bytes, why: str
) -> None:
    with pytest.raises(RecordRefusedError, match=why):
        gateway.spool.append_many([{"n": 1}, record])
    assert gateway.spooled() == []


def test_a_camera_whose_id_would_leave_its_folder_is_refused(gateway: Gateway) -> None:
    with pytest.raises(RecordRefusedError, match="without slashes"):
        gateway.spool.append({"n": 1}, camera_id="../../etc")


def test_several_processes_worth_of_spools_and_threads_append_side_by_side(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path, object_max_events=7)

    def feed(spool: Spool, first: int) -> None:
        for n in range(first, first + 25):
            spool.append({"n": n})

    spools = [gateway.spool, gateway.spool, Spool(gateway.settings), Spool(gateway.settings)]
    with ThreadPoolExecutor(4) as pool:
        for fed in [pool.submit(feed, spool, 100 * at) for at, spool in enumerate(spools)]:
            fed.result()
    assert gateway.upload()
    arrived = gateway.events()
    assert len(arrived) == 100
    for first in (0, 100, 200, 300):
        assert [n for n in arrived if first <= n < first + 25] == [*range(first, first + 25)]
    assert max(content.count(b"\n") for content in gateway.objects().values()) == 7


def test_a_clock_that_jumps_back_changes_no_order(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path, **SMALL_OBJECTS)
    days = iter([0, 1, -300, 2, -2, 0, 0, 0, 0, 0] * 20)
    spool = Spool(gateway.settings, now=lambda: datetime(2026, 1, 15, tzinfo=UTC) + timedelta(days=next(days)))
    for n in range(40):
        spool.append({"n": n})
    gateway.upload()
    assert gateway.events() == [*range(40)]
    assert len(gateway.objects()) == 14


def test_a_counter_that_was_lost_never_gives_an_old_key_again(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path, **SMALL_OBJECTS)
    for n in range(9):
        if n % 3 == 0:
            for counter in gateway.settings.spool_dir.rglob("sequence"):
                counter.write_bytes(b"" if n == 3 else b"\xff\0 nonsense")
        gateway.spool.append({"n": n})
        if n % 4 == 0:
            gateway.upload()
    gateway.upload()
    assert sorted(gateway.events()) == [*range(9)]


@pytest.mark.parametrize(
    ("content", "whole", "torn"),
    [
        (b"", [], b""),
        (b'{"n":1}\n{"n":2}\n', [b'{"n":1}\n', b'{"n":2}\n'], b""),
        (b'{"n":1}\n{"n":', [b'{"n":1}\n'], b'{"n":'),
        (b'{"n":1}\n\0\0\0\0', [b'{"n":1}\n'], b"\0\0\0\0"),
        (b'{"n":1}\n\0\0\n{"n":2}\n', [b'{"n":1}\n', b'{"n":2}\n'], b"\0\0\n"),
        (b'{"n":1}\r\n{"n":2}\r\n', [b'{"n":1}\r\n', b'{"n":2}\r\n'], b""),
    ],
    ids=["empty", "whole", "cut", "zeros", "zeros in between", "CRLF"],
)
def test_a_torn_end_is_distinguished_from_whole_lines(content: bytes, whole: list[bytes], torn: bytes) -> None:
    assert split_torn(content) == (whole, torn)


@pytest.mark.parametrize("tail", [b'{"n":99', b"\0" * 50, b'\0\0"n":99}\n'], ids=["cut", "zeros", "a line of zeros"])
@pytest.mark.parametrize("goes_on", [True, False], ids=["then an append", "then the sealing"])
def test_a_torn_end_is_set_aside_and_said_so_and_whole_records_stay(
    gateway: Gateway, tail: bytes, goes_on: bool, caplog: pytest.LogCaptureFixture
) -> None:
    gateway.spool.append_many([{"n": 1}, {"n": 2}])
    path = next(gateway.settings.spool_dir.rglob("*.open"))
    path.write_bytes(path.read_bytes() + tail)
    after_restart = Spool(gateway.settings)
    if goes_on:
        after_restart.append({"n": 3})
    gateway.upload()
    assert gateway.events() == [1, 2, 3][: 2 + goes_on]
    aside = [path.read_bytes() for path in gateway.settings.spool_dir.rglob("*.torn")]
    assert aside == [tail]
    assert f"{len(tail)} bytes moved to" in caplog.text


def test_an_object_with_nothing_but_a_torn_end_is_not_uploaded(gateway: Gateway) -> None:
    gateway.spool.append({"n": 1})
    path = next(gateway.settings.spool_dir.rglob("*.open"))
    path.write_bytes(b'{"n"')
    assert gateway.upload()
    assert gateway.objects() == {}


def test_refuse_keeps_what_was_acknowledged_and_says_no_to_the_new(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path, spool_max_bytes=20 * BLOCK_BYTES, **SMALL_OBJECTS)
    taken = fill(gateway)
    assert taken > 50
    with pytest.raises(SpoolFullError, match=r"is full: \d+ of 81920 bytes are used, \d+ more are needed"):
        gateway.spool.append({"n": taken})
    assert len([*gateway.settings.spool_dir.rglob("20*")]) <= 20
    gateway.upload()
    assert gateway.events() == [*range(taken)]
    gateway.spool.append({"n": taken})  # there is room again
    gateway.upload()
    assert gateway.events() == [*range(taken + 1)]
    assert gateway.spool.room.dropped()["objects"] == 0


def test_the_limit_counts_what_small_objects_take_of_the_disk(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path, spool_max_bytes=10 * BLOCK_BYTES, **SMALL_OBJECTS)
    for n in range(10):
        gateway.spool.append({"n": n}, camera_id=f"C{n}")
    gateway.spool.append({"n": 10}, camera_id="C0")  # in a block that the file already has
    with pytest.raises(SpoolFullError):
        gateway.spool.append({"n": 11}, camera_id="C10")
    objects = [path.stat() for path in gateway.settings.spool_dir.rglob("20*")]
    assert sum(stat.st_blocks * 512 for stat in objects) <= gateway.spool.room.measure() == 10 * BLOCK_BYTES


def test_a_call_that_meets_the_limit_says_how_many_of_its_records_are_durable(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path, spool_max_bytes=8 * BLOCK_BYTES, **SMALL_OBJECTS)
    with pytest.raises(SpoolFullError) as error:
        gateway.spool.append_many([{"n": n} for n in range(100)])
    gateway.upload()
    assert gateway.events() == [*range(error.value.acknowledged)]
    assert error.value.acknowledged > 20


def test_drop_oldest_drops_sealed_objects_from_the_oldest_on_and_counts_them(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path, spool_max_bytes=8 * BLOCK_BYTES, when_full="drop_oldest", **SMALL_OBJECTS)
    for n in range(100):
        gateway.spool.append({"n": n})
    assert gateway.spool.room.measure() <= 8 * BLOCK_BYTES
    dropped = gateway.spool.room.dropped()
    gateway.upload()
    assert gateway.events() == [*range(dropped["events"], 100)]
    assert dropped["events"] == 3 * dropped["objects"] > 0
    assert dropped["bytes"] + sum(map(len, gateway.objects().values())) == sum(
        len(f'{{"n":{n}}}\n') for n in range(100)
    )


def test_drop_oldest_never_drops_a_cameras_younger_object_before_its_older_one(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path, when_full="drop_oldest", **SMALL_OBJECTS)
    for n in range(30):
        gateway.spool.append({"n": n}, camera_id=f"C{n % 2}")
    for at, path in enumerate(sorted(gateway.settings.spool_dir.rglob("*.jsonl"))):
        os.utime(path, (1_000_000 - at % 5, 1_000_000 - at % 5))  # the clock was set back several times
    full = Gateway(tmp_path, when_full="drop_oldest", spool_max_bytes=8 * BLOCK_BYTES, **SMALL_OBJECTS)
    full.spool.append({"n": 30, "note": "x" * 30}, camera_id="C0")
    full.upload()
    for camera in ("C0", "C1"):
        arrived = full.events(camera)
        assert len(arrived) > 3
        assert arrived == [n for n in range(31) if f"C{n % 2}" == camera][-len(arrived) :]


def test_a_drop_that_was_counted_before_a_crash_is_not_counted_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = Gateway(tmp_path, spool_max_bytes=11 * BLOCK_BYTES, when_full="drop_oldest", **SMALL_OBJECTS)
    gateway.spool.append_many([{"n": n} for n in range(33)])

    def crash(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", crash)
        with pytest.raises(KeyboardInterrupt):
            gateway.spool.append({"n": 33, "note": "x" * 10})
    after_restart = Gateway(tmp_path, spool_max_bytes=11 * BLOCK_BYTES, when_full="drop_oldest", **SMALL_OBJECTS)
    after_restart.spool.append({"n": 33, "note": "x" * 10})
    assert after_restart.spool.room.dropped()["objects"] == 1
    after_restart.upload()
    assert after_restart.events() == [*range(3, 34)]


def test_the_object_being_written_is_never_dropped(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path, spool_max_bytes=BLOCK_BYTES, object_max_bytes=256, when_full="drop_oldest")
    gateway.spool.append({"n": 1, "note": "x" * 150}, camera_id="C1")
    with pytest.raises(SpoolFullError):
        gateway.spool.append({"n": 2, "note": "x" * 150}, camera_id="C2")
    gateway.upload()
    assert gateway.events("C1") == [1]


def test_a_spool_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SpoolError, match="cannot be opened: Not a directory"):
        Spool(EdgeSettings(spool_dir=tmp_path / "file" / "spool"))
