"""Listings of many keys, of a folder and of a real server with several pages, in bounded memory."""

import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ingestion.bucket.s3 import PAGE_OBJECTS, S3Bucket
from tests.peak_memory import land_apart
from tests.plant import Plant
from tests.s3_server import BUCKET

LINE = (
    b'{"timestamp":"2026-01-15T10:15:00Z","worker_id":"W1","workstation_id":"S3","event_type":"idle","confidence":0.9}'
)


@pytest.mark.slow
def test_a_listing_of_several_pages_lands_each_object_once(
    tmp_path: Path, s3_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in s3_environment.items():
        monkeypatch.setenv(name, value)
    plant = Plant(tmp_path, landing_url=f"s3://{BUCKET}/{tmp_path.name}", landed_objects="keep")
    bucket = S3Bucket(plant.settings.landing_url)
    sent = [f"events/camera_id=c{number % 7}/{number:05}.jsonl" for number in range(2 * PAGE_OBJECTS + 500)]
    with ThreadPoolExecutor(bucket.concurrency) as pool:
        list(pool.map(lambda key: bucket.put(key, LINE), sent))
    assert Counter(info.key for info in bucket.list("events/")) == Counter(sent)
    report = plant.land()
    assert (report.objects, report.accepted) == (len(sent), len(sent))
    assert (plant.land().objects, len(plant.raw("events"))) == (0, len(sent))


def peak_with(data_dir: Path, files: int) -> int:
    """The peak memory in kilobytes of a landing of `files` links to one file, in a separate process."""
    one = Plant(data_dir).drop("one.jsonl", LINE)
    for number in range(files):
        link = data_dir / f"landing/events/{number // 1000}/{number}.jsonl"
        if number % 1000 == 0:
            link.parent.mkdir(parents=True)
        os.link(one, link)
    accepted, peak = land_apart(data_dir, window_objects=5_000, landed_objects="keep")
    assert accepted == files
    return peak


@pytest.mark.slow
def test_memory_does_not_grow_with_the_keys_that_wait(tmp_path: Path) -> None:
    few, many = peak_with(tmp_path / "few", 5_000), peak_with(tmp_path / "many", 60_000)
    assert many - few < 55_000  # a kilobyte per object: half is rows that the database has not written to its file yet
