"""Writing complete objects to a folder and to a real S3 server, and an intake that uses the S3 server."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ingestion.bucket import Bucket, open_bucket
from ingestion.errors import BucketError
from tests.ingestion.intake.running import event, running_intake
from tests.plant import Plant
from tests.s3_server import BUCKET


def test_what_is_put_is_listed_and_read_back_whole(bucket: Bucket) -> None:
    for content in (b"first", b"second" * 2_000_000, b""):
        bucket.put("events/new/folder/a b.jsonl", content)
        assert [(one.key, one.size) for one in bucket.list("events/")] == [
            ("events/new/folder/a b.jsonl", len(content))
        ]
        assert [one.content for one in bucket.fetch(["events/new/folder/a b.jsonl"])] == [content]


def put_all(bucket: Bucket, content: bytes) -> None:
    for number in range(30):
        bucket.put(f"events/{number}.jsonl", content)


def test_nobody_ever_lists_a_part_of_an_object(tmp_path: Path) -> None:
    bucket = open_bucket(tmp_path.as_uri(), create=True)
    content = b"x" * 3_000_000
    with ThreadPoolExecutor(1) as writer:
        writing = writer.submit(put_all, bucket, content)
        while not writing.done():
            assert {info.size for info in bucket.list("events/")} <= {len(content)}
    assert len(list(bucket.list("events/"))) == 30


def test_file_and_name_are_synced_before_a_put_returns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = open_bucket(tmp_path.as_uri(), create=True)
    synced: list[str] = []
    sync = os.fsync

    def noted(descriptor: int) -> None:
        synced.append(Path(os.readlink(f"/proc/self/fd/{descriptor}")).name)
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    bucket.put("events/day/1.jsonl", b"1")
    folders_above, file, folder = synced[:-2], synced[-2], synced[-1]
    assert {"events", tmp_path.name} <= set(folders_above)  # the new folder's name must be durable too
    assert file.startswith("_1.jsonl.")
    assert folder == "day"


def test_a_write_that_fails_is_one_sentence_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = open_bucket(tmp_path.as_uri(), create=True)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device", descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BucketError, match=r"1\.jsonl cannot be written: No space left on device\.$"):
        bucket.put("events/1.jsonl", b"1")
    assert [path for path in (tmp_path / "events").rglob("*") if path.is_file()] == []


def test_events_posted_to_an_intake_before_an_s3_bucket_land_from_it(
    s3_environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"s3://{BUCKET}/{tmp_path.name}"
    for name, value in s3_environment.items():
        monkeypatch.setenv(name, value)
    with running_intake(tmp_path, landing_url=url) as running, ThreadPoolExecutor(8) as clients:
        answers = list(clients.map(lambda number: running.post("/api/events", event(number)), range(40)))
    assert {answer.status for answer in answers} == {201}
    assert Plant(tmp_path, landing_url=url).land().accepted == 40


def test_a_server_that_is_away_is_503_within_the_time_that_a_write_may_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")  # nothing listens there
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"):
        monkeypatch.setenv(name, "us-east-1")
    with running_intake(tmp_path, landing_url="s3://plant/x", write_seconds=1) as running:
        started = time.monotonic()
        answer = running.post("/api/events", event())
        assert (answer.status, answer.json["reason"]) == (503, "bucket_unavailable")
        assert time.monotonic() - started < 10
        assert running.end() == 0  # a write that hangs does not keep the process alive
