import os
import shutil
from pathlib import Path

import pytest

from ingestion.edge.disk import BLOCK_BYTES
from ingestion.edge.inbox import list_inbox, stream_of
from ingestion.edge.names import Stream
from ingestion.edge.status import read_status
from ingestion.edge.uploader import Uploader
from ingestion.errors import SettingsError
from tests.ingestion.edge.gateway import Gateway
from tests.plant import NOW


def put(gateway: Gateway, name: str, content: bytes = b'{"n":1}\n') -> Path:
    path = gateway.settings.inbox_dir / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_a_whole_file_arrives_byte_for_byte_with_its_ending(gateway: Gateway) -> None:
    content = b'[{"n": 1},\r\n {"n": 2}]\x00 not even json'
    put(gateway, "day.json.gz", content)
    assert gateway.upload()
    ((key, arrived),) = gateway.objects().items()
    assert key.startswith("events/site_id=north/camera_id=C1/")
    assert key.endswith("-000000000001.json.gz")
    assert arrived == content
    assert not any(path.is_file() for path in gateway.settings.inbox_dir.rglob("*"))


@pytest.mark.parametrize("name", ["DAY.JSONL", "day.Json.GZIP", "day.ndjson.zstd"])
def test_an_ending_is_read_in_any_letter_case_as_landing_reads_it(gateway: Gateway, name: str) -> None:
    put(gateway, name)
    assert gateway.upload()
    (key,) = gateway.objects()
    assert key.endswith(name[name.index(".") :].lower())


@pytest.mark.parametrize(
    "name", ["a.jsonl.tmp", "a.jsonl.part", ".a.jsonl", "_a.jsonl", ".hidden/a.jsonl", "_x/a.jsonl"]
)
def test_a_file_that_is_still_written_is_left_alone(gateway: Gateway, name: str) -> None:
    path = put(gateway, name)
    gateway.upload()
    assert gateway.objects() == {}
    assert path.exists()


def test_a_file_that_landing_would_not_read_stays_and_is_reported(
    gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    put(gateway, "readme.txt")
    (gateway.settings.inbox_dir / "link.jsonl").symlink_to("/etc/hostname")
    uploader = gateway.uploader()
    for _ in range(3):
        uploader.step()
    assert gateway.objects() == {}
    assert read_status(gateway.spool, NOW)["inbox"] == {"files": 0, "bytes": 0, "refused_files": 2}
    assert caplog.text.count("readme.txt stays in the inbox: its name ends in none of .jsonl") == 1
    assert caplog.text.count("link.jsonl stays in the inbox: it is not a regular file") == 1


def test_files_of_a_camera_are_taken_in_the_order_of_their_names_after_what_was_appended(gateway: Gateway) -> None:
    gateway.spool.append({"n": 0})
    for n in (3, 1, 2):
        put(gateway, f"{n}.jsonl", b'{"n":%d}\n' % n)
    gateway.upload()
    assert gateway.events() == [0, 1, 2, 3]


def test_a_file_is_not_uploaded_before_what_was_appended_earlier(gateway: Gateway) -> None:
    gateway.spool.append({"n": 0})
    put(gateway, "1.jsonl", b'{"n":1}\n')
    gateway.uploader().step()
    assert gateway.events() == [0, 1]


def test_folders_name_the_camera_as_in_a_key() -> None:
    default = Stream("north", "C1")
    assert stream_of(("site_id=south", "x", "camera_id=A", "camera_id=B "), default) == Stream("south", "B")
    assert stream_of(("site_id=", "camera_id= "), default) == default


def test_an_inbox_that_cannot_be_listed_is_not_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        list_inbox(tmp_path / "gone", Stream("s", "c"), 1000)


def test_a_file_for_which_there_is_no_room_waits_and_holds_up_its_cameras_later_ones_only(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path, spool_max_bytes=3 * BLOCK_BYTES, object_max_bytes=256)
    put(gateway, "camera_id=C1/1.jsonl", b'{"n":1,"note":"%s"}\n' % (b"x" * BLOCK_BYTES))
    put(gateway, "camera_id=C1/2.jsonl", b'{"n":2,"note":"%s"}\n' % (b"x" * BLOCK_BYTES))
    put(gateway, "camera_id=C1/3.jsonl", b'{"n":3}\n')
    put(gateway, "camera_id=C2/1.jsonl", b'{"n":4}\n')
    put(gateway, "camera_id=C2/0-never-fits.jsonl", b"x" * (3 * BLOCK_BYTES + 1))
    uploader = gateway.uploader()
    uploader._take_inbox()
    assert [camera.stream.camera_id for camera in gateway.spool.cameras()] == ["C1", "C2"]
    assert len(gateway.spooled()) == 2
    while uploader.step() or len(gateway.objects()) < 4:
        pass
    assert gateway.events("C1") == [1, 2, 3]
    assert gateway.events("C2") == [4]


def test_an_inbox_on_another_disk_is_refused_because_a_crash_could_double_a_file(gateway: Gateway) -> None:
    other = Path("/dev/shm")
    if not other.is_dir() or other.stat().st_dev == gateway.settings.spool_dir.stat().st_dev:
        pytest.skip("this machine has no second disk at /dev/shm")
    folder = other / f"inbox-{os.getpid()}"
    try:
        two_disks = Gateway(gateway.landing.parent, inbox_dir=folder)
        with pytest.raises(SettingsError, match="is not on the disk of the spool"):
            Uploader(two_disks.spool, target=None)  # type: ignore[arg-type]  # never gets that far
    finally:
        shutil.rmtree(folder, ignore_errors=True)
