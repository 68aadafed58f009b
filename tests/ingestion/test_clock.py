"""A clock far ahead of everything seen before stops a batch.

A pause of the plant, or a server that agrees, does not.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from ingestion.bucket import Bucket, open_bucket
from ingestion.bucket.rewriting import server_time
from ingestion.errors import ClockError
from ingestion.landing.clock import doubt_of, require_true_clock
from tests.plant import EVENT, NOW, Plant

YEAR_AHEAD = NOW + timedelta(days=365)


@pytest.mark.parametrize(
    ("newest", "server", "is_doubted"),
    [
        (None, None, False),
        (NOW, None, False),
        (NOW - timedelta(days=21), None, False),
        (NOW - timedelta(days=35), None, False),
        (NOW - timedelta(days=36), None, True),
        (NOW - timedelta(days=36), NOW + timedelta(minutes=3), False),
        (NOW - timedelta(days=36), NOW - timedelta(days=365), True),
        (NOW + timedelta(days=365), None, False),
    ],
)
def test_a_clock_is_doubted_when_nothing_vouches_for_it(
    newest: datetime | None, server: datetime | None, is_doubted: bool
) -> None:
    assert bool(doubt_of(NOW, newest, lambda: server)) is is_doubted


def test_a_camera_whose_own_clock_is_ahead_does_not_vouch(tmp_path: Path) -> None:
    plant = Plant(tmp_path)
    bucket = open_bucket(plant.settings.landing_url, create=True)
    require_true_clock(plant.settings, bucket, YEAR_AHEAD)  # a new plant
    for camera, time in (
        ("C1", "2026-02-28T10:00:00Z"),
        ("C2", "2026-02-28T11:00:00Z"),
        ("C3", "2026-03-01T23:00:00Z"),
    ):
        plant.drop(f"events/camera_id={camera}/a.jsonl", json.dumps({**EVENT, "timestamp": time}))
    plant.land()
    require_true_clock(plant.settings, bucket, NOW + timedelta(days=21))
    with pytest.raises(ClockError):
        require_true_clock(plant.settings, bucket, YEAR_AHEAD)


def test_only_a_server_has_a_time_of_its_own(bucket: Bucket) -> None:
    time = server_time(bucket)
    if bucket.concurrency == 1:
        assert time is None
    else:
        assert time is not None
        assert abs(datetime.now(time.tzinfo) - time) < timedelta(minutes=5)
    assert list(bucket.list("archive/")) == []
