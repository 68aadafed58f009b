import http.server
import os
import socket
import sys
import threading
from pathlib import Path

import obstore
import pytest

from ingestion.bucket import S3Bucket
from ingestion.edge.errors import UploadError
from ingestion.edge.target import FolderTarget, S3Target, open_target
from ingestion.errors import SettingsError
from tests.ingestion.edge.gateway import SMALL_OBJECTS, Clock, Gateway
from tests.s3_server import BUCKET

KEY = "events/site_id=north/camera_id=C1/2026-01-15/1.jsonl"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "object"
    path.write_bytes(b'{"n":1}\n')
    return path


def test_a_folder_gets_the_object_under_its_key_and_nothing_else(gateway: Gateway, file: Path) -> None:
    target = open_target(gateway.landing.as_uri(), 1)
    for _ in range(2):
        target.put(KEY, file)
    assert [str(path.relative_to(gateway.landing)) for path in gateway.landing.rglob("*") if path.is_file()] == [KEY]


def test_an_object_in_a_folder_is_never_seen_half_written(
    gateway: Gateway, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_after_two_bytes(descriptor: int, content: bytes) -> int:
        if full_disk:
            raise OSError(28, os.strerror(28))
        full_disk.append(True)
        return write(descriptor, content[:2])

    write, full_disk = os.write, list[bool]()
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full_after_two_bytes)
        with pytest.raises(UploadError, match=r"cannot take .*1\.jsonl: No space left on device"):
            FolderTarget(gateway.landing).put(KEY, file)
    assert not any(path.is_file() for path in gateway.landing.rglob("*"))


def test_the_mount_point_of_a_share_that_is_not_mounted_takes_nothing(tmp_path: Path, file: Path) -> None:
    (tmp_path / "share").mkdir()
    with pytest.raises(
        UploadError, match=r"has no folder events/: it is no landing bucket, or its share is not mounted"
    ):
        FolderTarget(tmp_path / "share").put(KEY, file)
    assert list((tmp_path / "share").iterdir()) == []


def test_a_missing_object_is_distinguished_from_a_failing_target(gateway: Gateway, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        FolderTarget(gateway.landing).put(KEY, tmp_path / "gone")


@pytest.mark.slow
def test_an_s3_target_without_obstore_is_a_bad_setting_because_no_later_try_helps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "obstore.store", None)
    with pytest.raises(SettingsError, match="needs the package obstore"):
        open_target("s3://plant/landing", 1)


def test_a_server_that_is_away_is_one_sentence_which_is_the_same_each_time(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        endpoint = f"http://127.0.0.1:{nobody.getsockname()[1]}"
    environment = {"AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    for name, value in {**environment, "AWS_REGION": "us-east-1"}.items():
        monkeypatch.setenv(name, value)
    target = S3Target("s3://plant/landing", 5)
    sentences = set()
    for _ in range(2):
        with pytest.raises(UploadError) as error:
            target.put(KEY, file)
        sentences.add(str(error.value))
    (sentence,) = sentences
    assert sentence.startswith(f"The target s3://plant/landing did not take {KEY}: ")
    assert sentence.endswith("error sending request.")


def test_a_real_s3_server_has_the_keys_that_landing_reads_and_one_etag_for_every_attempt(
    s3_environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in s3_environment.items():
        monkeypatch.setenv(name, value)
    url = f"s3://{BUCKET}/plant one"
    gateway = Gateway(tmp_path, camera_id="Gerät 1 #100%", **SMALL_OBJECTS)
    for n in range(7):
        gateway.spool.append({"n": n})
    camera = gateway.spool.cameras()[0]
    target = open_target(url, 20)
    target.put(camera.objects()[0].key(camera.stream), camera.path(camera.objects()[0]))
    bucket = S3Bucket(url)
    before = {one["path"]: one["e_tag"] for page in obstore.list(bucket.store) for one in page}
    assert gateway.uploader(target).run_once()
    after = {one["path"]: one["e_tag"] for page in obstore.list(bucket.store) for one in page}
    assert before.items() <= after.items()
    fetched = list(bucket.fetch(sorted(info.key for info in bucket.list("events/"))))
    assert [one.content for one in fetched] == [
        b'{"n":0}\n{"n":1}\n{"n":2}\n',
        b'{"n":3}\n{"n":4}\n{"n":5}\n',
        b'{"n":6}\n',
    ]
    assert fetched[0].key.startswith("events/site_id=north/camera_id=Gerät 1 #100%/")


class FaultyServer(http.server.ThreadingHTTPServer):
    """Accepts PUTs like an S3 server.

    The n-th request fails as `faults[n]` says: with a status, or "cut" in its middle.
    """

    def __init__(self, port: int, faults: dict[int, int | str]) -> None:
        super().__init__(("127.0.0.1", port), FaultyHandler)
        self.faults = faults
        self.requests = 0
        self.stored: dict[str, list[bytes]] = {}


class FaultyHandler(http.server.BaseHTTPRequestHandler):
    server: FaultyServer

    def do_PUT(self) -> None:
        self.server.requests += 1
        fault = self.server.faults.get(self.server.requests)
        if fault == "cut":
            self.rfile.read(1)
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        content = self.rfile.read(int(self.headers["Content-Length"]))
        if fault != 503:
            self.server.stored.setdefault(self.path, []).append(content)
        self.send_response(fault if isinstance(fault, int) else 200)
        self.send_header("ETag", '"1"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # as the base class has it
        pass


def test_an_s3_target_that_cannot_be_reached_then_fails_and_breaks_off_gets_everything_in_order_when_it_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "plant-camera")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "only-for-tests")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    gateway, clock = Gateway(tmp_path, **SMALL_OBJECTS), Clock()
    gateway.spool.append_many([{"n": n} for n in range(12)])
    uploader = gateway.uploader(S3Target(f"s3://{BUCKET}", 5), monotonic=clock, chance=lambda: 1.0)
    uploader.step()
    assert "did not take events/site_id=north/camera_id=C1/" in str(uploader.ledger.last_error)
    assert len(gateway.spooled()) == 4

    server = FaultyServer(port, {1: 503, 3: "cut", 4: 500})
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        for _ in range(60):
            clock.seconds += 1
            uploader.step()
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert gateway.spooled() == []
    assert server.requests == 4 + 3
    assert list(server.stored) == sorted(server.stored)
    assert [contents[0] for contents in server.stored.values()] == [
        b"".join(b'{"n":%d}\n' % n for n in range(first, first + 3)) for first in (0, 3, 6, 9)
    ]
    assert [len(contents) for contents in server.stored.values()] == [1, 2, 1, 1]  # the object of the 500 was stored
    assert all(len(set(contents)) == 1 for contents in server.stored.values())
