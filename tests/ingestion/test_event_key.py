import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

from ingestion.contract import Event
from ingestion.event_key import event_key

EVENT = Event(
    timestamp=datetime(2026, 1, 15, 10, 15, 0, 1, tzinfo=UTC),
    site_id="A",
    camera_id="c",
    worker_id="Wé",
    workstation_id="S3",
    event_type="working",
    confidence=0.93,
    count=1,
    model_name="m",
    model_version="1",
)


def test_the_key_is_the_hash_of_the_duplicate_key_alone() -> None:
    assert event_key(EVENT) == hashlib.md5("1768472100000001|working|1:A|2:Wé|2:S3".encode()).hexdigest()
    assert event_key(replace(EVENT, camera_id="d", confidence=0.1, count=7)) == event_key(EVENT)


def test_one_instant_in_two_time_zones_is_one_key() -> None:
    shifted = EVENT.timestamp.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert event_key(replace(EVENT, timestamp=shifted)) == event_key(EVENT)


def test_identifiers_that_run_together_give_different_keys() -> None:
    one = replace(EVENT, site_id="A|1:B", worker_id="C")
    other = replace(EVENT, site_id="A", worker_id="B|1:C")
    assert event_key(one) != event_key(other)
