"""Landing from a real S3 server while the link to it fails at one of a batch's requests."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingestion.bucket import open_bucket, retrying
from ingestion.errors import BucketError
from tests.faulty_link import FAULTS, FaultyLink, faulty_link
from tests.plant import Plant, assert_same_marts
from tests.s3_server import BUCKET

OBJECTS = 2


@pytest.fixture
def link(s3_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyLink]:
    """A link without faults until a test sets one. Retries do not wait."""
    monkeypatch.setattr(retrying, "FIRST_WAIT_SECONDS", 0.001)
    with faulty_link(s3_environment["AWS_ENDPOINT_URL"]) as link:
        for name, value in {**s3_environment, "AWS_ENDPOINT_URL": link.url}.items():
            monkeypatch.setenv(name, value)
        yield link


def drop(plant: Plant, name: str) -> None:
    """Drop a few objects with this name, each with two valid records and an invalid one; the same for every plant."""
    bucket = open_bucket(plant.settings.landing_url)
    for number in range(OBJECTS):
        events = [
            {
                "timestamp": f"2026-01-{15 + number}T{6 + minute // 60:02}:{minute % 60:02}:00Z",
                "worker_id": f"W-{name}",
                "workstation_id": "S1",
                "event_type": "working",
                "confidence": 0.9,
            }
            for minute in (1, 70)
        ]
        bucket.put(
            f"events/site_id=A/camera_id=c{number}/{name}.jsonl",
            "".join(json.dumps(one) + "\n" for one in [*events, 7]).encode(),
        )


def undisturbed(tmp_path: Path, names: list[str]) -> Plant:
    plant = Plant(tmp_path / "undisturbed", landing_url=f"s3://{BUCKET}/{tmp_path.name}/undisturbed")
    for name in names:
        drop(plant, name)
    return plant


@pytest.mark.slow
def test_a_batch_lands_whatever_fails_once_and_all_after_an_outage(tmp_path: Path, link: FaultyLink) -> None:
    plant = Plant(tmp_path / "plant", landing_url=f"s3://{BUCKET}/{tmp_path.name}/plant")
    names: list[str] = []

    def batch(name: str, fault: str = "", at: int = 0, lasting: int = 0) -> bool:
        """Land some new objects. Returns False if the landing failed."""
        link.reset()
        drop(plant, name)
        names.append(name)
        link.reset(fault, at, lasting)
        sentence: str | None
        try:
            report = plant.land()
        except BucketError as error:
            sentence, is_landed = str(error), False
        else:
            sentence, is_landed = report.archive_failure, True
            assert (sentence is None) == (report.not_archived == 0)
        if sentence is not None:
            assert re.fullmatch(rf"The landing bucket {plant.settings.landing_url} cannot [^\n]*[^.\n]\.", sentence)
        return is_landed

    batch("none")
    requests = link.requests
    assert requests >= 2 + 3 * OBJECTS
    for fault in FAULTS:
        for at in range(1, requests + 1):
            has_landed = batch(f"once-{fault}-{at}", fault, at, lasting=1)
            assert link.met == 1
            if fault != "403":  # requests with refused credentials are not repeated
                assert has_landed
                assert plant.waiting_keys() == [], (fault, at)
    failures = sum(not batch(f"outage-{at}", "503", at, lasting=1_000_000) for at in range(1, requests + 1))
    assert failures >= 2 + OBJECTS  # a fault before the commit ends the batch; one after it only affects archiving
    link.reset()
    plant.land()
    assert plant.waiting_keys() == []
    assert_same_marts(plant, undisturbed(tmp_path, names))


def test_an_outage_is_reported_in_one_sentence_that_names_the_bucket(tmp_path: Path, link: FaultyLink) -> None:
    plant = Plant(tmp_path, landing_url=f"s3://{BUCKET}/{tmp_path.name}")
    drop(plant, "a")
    link.reset("drop", 1, lasting=1_000_000)
    with pytest.raises(BucketError, match=rf"The landing bucket s3://{BUCKET}/\S+ cannot be listed: .*[^.]\.$"):
        plant.land()
    assert link.met == retrying.ATTEMPTS
    assert plant.raw("landed_objects") == []


def test_a_download_that_ends_early_is_retried_and_never_landed_in_part(tmp_path: Path, link: FaultyLink) -> None:
    plant = Plant(tmp_path, landing_url=f"s3://{BUCKET}/{tmp_path.name}")
    drop(plant, "a")
    link.reset("cut", 3, lasting=2)  # after the two listings
    report = plant.land()
    assert link.met == 2
    assert (report.objects, report.accepted, report.rejected) == (OBJECTS, 2 * OBJECTS, OBJECTS)
    assert report.archive_failure is None
