"""A batch while other processes write, while a clock is wrong, and while the archive cannot be written."""

from __future__ import annotations

import errno
import gzip
import json
import os
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from ingestion.bucket import Bucket, FetchedObject, LocalBucket, ObjectInfo, S3Bucket, open_bucket
from ingestion.bucket.folders import Folders
from ingestion.errors import BucketError
from ingestion.landing import batch
from ingestion.landing import commit as landing_commit
from ingestion.landing.archiving import GIVE_UP_AFTER_FAILURES, Archiver
from tests.plant import EVENT, NOW, Plant


def line(worker: str, **fields: object) -> bytes:
    return json.dumps({**EVENT, "worker_id": worker, **fields}).encode() + b"\n"


def put(plant: Plant, key: str, content: bytes) -> None:
    open_bucket(plant.settings.landing_url, create=True).put(key, content)


def keys(plant: Plant, prefix: str) -> list[str]:
    return sorted(info.key for info in open_bucket(plant.settings.landing_url).list(prefix))


def workers(plant: Plant) -> list[str]:
    return sorted(event["worker_id"] for event in plant.raw("events"))


def test_an_object_replaced_between_listing_and_reading_lands_as_it_is_read(
    either: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(either, "events/a.jsonl", line("W1"))
    kind = type(open_bucket(either.settings.landing_url))
    fetch = kind.fetch

    def replaced(*arguments: Any) -> Iterator[FetchedObject]:
        put(either, "events/a.jsonl", line("W2"))
        return fetch(*arguments)

    monkeypatch.setattr(kind, "fetch", replaced)
    assert either.land().archived == 1
    assert (workers(either), keys(either, "events/")) == (["W2"], [])


def test_an_object_replaced_between_reading_and_archiving_lands_with_the_next_batch(
    either: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(either, "events/a.jsonl", line("W1"))
    commit = landing_commit.commit

    def replaced(*arguments: Any) -> list[str]:
        put(either, "events/a.jsonl", line("W2"))
        return commit(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(batch, "commit", replaced)
        report = either.land()
    assert (report.archived, report.not_archived, workers(either)) == (0, 0, ["W1"])
    assert keys(either, "events/") == ["events/a.jsonl"]
    either.land()
    assert (workers(either), keys(either, "events/")) == (["W1", "W2"], [])


def test_a_compressed_object_cut_short_gives_what_is_whole_and_lands_when_it_comes_whole(plant: Plant) -> None:
    whole = gzip.compress(b"".join(line(f"W{number}") for number in range(1000)))
    plant.drop("events/a.jsonl.gz", whole[: len(whole) // 2])
    assert 0 < plant.land().accepted < 1000
    assert [(one["position"], one["superseded_at"]) for one in plant.raw("rejected_records")] == [(0, None)]
    plant.drop("events/a.jsonl.gz", whole)
    assert plant.land().accepted == 1000
    assert plant.raw("rejected_records")[0]["superseded_at"] is not None


def test_an_archive_that_cannot_be_written_fails_no_landing_and_is_tried_again(
    either: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(GIVE_UP_AFTER_FAILURES + 45):
        put(either, f"events/{number}.jsonl", line(f"W{number}"))
    asked: list[str] = []

    def refuse(_: Bucket, fetched: FetchedObject) -> bool:
        asked.append(fetched.key)
        raise BucketError(f"{fetched.key} cannot be moved: Read-only file system.")

    said: list[str] = []
    with monkeypatch.context() as patched:
        for kind in (LocalBucket, S3Bucket):
            patched.setattr(kind, "archive", refuse)
        report = either.land(log=said.append)
    assert (report.objects, report.archived, report.not_archived) == (65, 0, 65)
    assert str(report.archive_failure).endswith("cannot be moved: Read-only file system.")
    assert said[-1].startswith("65 landed objects are not archived yet, the next batch tries again: events/")
    # A bucket that refuses is not asked for every object; some requests run at once.
    assert len(asked) <= GIVE_UP_AFTER_FAILURES + S3Bucket.concurrency
    report = either.land()
    assert (report.objects, report.already_landed, report.archived, report.not_archived) == (0, 65, 65, 0)
    assert (len(workers(either)), keys(either, "events/")) == (65, [])


def test_an_object_that_may_not_be_read_waits_for_its_right_and_the_others_land(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b", "c"):
        plant.drop(f"events/{name}.jsonl", line(f"W-{name}"))
    open_file = Folders.open_file

    def refuse(folders: Folders, key: str) -> int:
        if key == "events/b.jsonl":
            raise PermissionError(errno.EACCES, "Permission denied")  # root, which may run the tests, is never refused
        return open_file(folders, key)

    said: list[str] = []
    with monkeypatch.context() as patched:
        patched.setattr(Folders, "open_file", refuse)
        report = plant.land(log=said.append)
    assert (report.objects, report.unreadable, workers(plant)) == (2, 1, ["W-a", "W-c"])
    assert said[-1] == "1 not read, as this user may not read them: events/b.jsonl"
    assert (plant.land().objects, workers(plant)) == (1, ["W-a", "W-b", "W-c"])


def test_a_registry_that_may_not_be_read_stops_the_batch_before_it_lands(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant.drop("registry/workers.csv", "site_id,worker_id,name\n")
    plant.drop("events/a.jsonl", line("W1"))
    monkeypatch.setattr(LocalBucket, "fetch", lambda *_: iter(()))
    with pytest.raises(BucketError, match=r"registry/workers\.csv cannot be read"):
        plant.land()
    assert plant.raw("events") == []


def test_a_batch_that_stops_leaves_the_rest_of_the_archiving_to_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = LocalBucket(tmp_path, create=True)
    moved: list[str] = []

    def slowly(fetched: FetchedObject) -> bool:
        time.sleep(0.01)
        moved.append(fetched.key)
        return True

    monkeypatch.setattr(bucket, "archive", slowly)
    objects = [FetchedObject(f"events/{number}.jsonl", None, 0, "") for number in range(1000)]

    def stop() -> None:
        with Archiver(bucket) as archiver:
            archiver.take(objects)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop()
    assert len(moved) < 100


def test_kept_objects_are_not_read_again_until_they_change(either: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Plant(either.settings.data_dir, landing_url=either.settings.landing_url, landed_objects="keep")
    for name in ("a", "b"):
        put(kept, f"events/{name}.jsonl", line(name))
    read: list[str] = []
    for kind in (LocalBucket, S3Bucket):
        original = kind.fetch

        def counted(self: Any, keys: Sequence[str], *rest: Any, original: Any = original) -> Iterator[FetchedObject]:
            read.extend(key for key in keys if key.startswith("events/"))
            return original(self, keys, *rest)  # type: ignore[no-any-return]

        monkeypatch.setattr(kind, "fetch", counted)
    # A file that changed very recently is read again, because its times might not show its next change.
    later = time.time() + 10
    monkeypatch.setattr(time, "time", lambda: later)
    reports = [kept.land() for _ in range(3)]
    assert [report.already_landed for report in reports] == [0, 2, 2]
    assert sorted(read) == ["events/a.jsonl", "events/b.jsonl"]
    put(kept, "events/a.jsonl", line("c"))
    assert kept.land().objects == 1
    assert sorted(read) == ["events/a.jsonl", "events/a.jsonl", "events/b.jsonl"]
    assert workers(kept) == ["a", "b", "c"]


def test_a_kept_file_changed_a_moment_before_it_was_read_is_read_once_more(tmp_path: Path) -> None:
    kept = Plant(tmp_path, landed_objects="keep")
    path = kept.drop("events/a.jsonl", line("W1"))
    kept.land()
    assert kept.raw("kept_files") == []
    # The same size, and the same time of change at the resolution of a coarse clock.
    stat = path.stat()
    path.write_bytes(line("W2"))
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    kept.land()
    assert workers(kept) == ["W1", "W2"]


def test_a_clock_put_back_by_years_rejects_nothing_and_no_landing_is_before_another(plant: Plant) -> None:
    plant.drop("events/a.jsonl", line("W1"))
    plant.land()
    said: list[str] = []
    plant.drop("events/b.jsonl", line("W2", timestamp=f"{NOW + timedelta(hours=20):%Y-%m-%dT%H:%M:%SZ}"))
    plant.land(NOW.replace(year=2000), log=said.append)
    assert workers(plant) == ["W1", "W2"]
    assert {one["landed_at"] for one in plant.raw("landed_objects")} == {NOW}
    assert said[0] == "the clock says 2000-03-01 00:00:00 UTC, before the last landing; 2026-03-01 00:00:00 UTC counts"
    plant.drop("events/c.jsonl", line("W3"))
    plant.land(NOW + timedelta(hours=1))
    assert max(one["landed_at"] for one in plant.raw("landed_objects")) == NOW + timedelta(hours=1)


def test_an_object_from_before_a_clock_was_put_back_is_still_as_well(tmp_path: Path) -> None:
    plant = Plant(tmp_path, still_seconds=60)
    for name, seconds in (("being-written", 5), ("written-before-the-jump", 3600)):
        path = plant.drop(f"events/{name}.jsonl", line(name))
        os.utime(path, (NOW.timestamp() + seconds, NOW.timestamp() + seconds))
    plant.land()
    assert workers(plant) == ["written-before-the-jump"]


def test_a_listing_is_landed_a_window_at_a_time(either: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "WINDOW_OBJECTS", 7)
    monkeypatch.setattr(batch, "CHUNK_OBJECTS", 3)
    for number in range(30):
        put(either, f"events/camera_id={number % 3}/{number}.jsonl", line(f"W{number}"))
    report = either.land()
    assert (report.objects, report.accepted, report.archived, len(set(workers(either)))) == (30, 30, 30, 30)
    assert keys(either, "events/") == []


def test_a_listing_without_an_end_is_taken_a_window_at_a_time() -> None:
    endless = (ObjectInfo(f"events/{number}.jsonl", 1, NOW) for number in count())
    windows = batch._windows(endless)
    assert [len(next(windows)) for _ in range(2)] == [batch.WINDOW_OBJECTS] * 2


def test_thousands_of_files_in_many_folders_land_and_leave_their_folders_empty(tmp_path: Path) -> None:
    plant = Plant(tmp_path)
    for folder in range(20):
        path = plant.landing / f"events/site_id=A/camera_id=c{folder}"
        path.mkdir(parents=True)
        for number in range(300):
            (path / f"{number}.jsonl").touch()
    report = plant.land()
    assert (report.objects, report.records, report.archived) == (6_000, 0, 6_000)
    assert keys(plant, "events/") == []
    assert report.seconds > 0
    assert report.archive_seconds > 0
    assert len(keys(plant, "archive/")) == 6_000
