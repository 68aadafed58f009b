import json

import pytest

from floorhouse.program import main
from ingestion.contract import events
from ingestion.landing import replay
from ingestion.landing.replay import ReplayReport, replay_rejected
from tests.plant import Plant

# Digits finer than microseconds are read on the exact path, whose rules the tests below change.
EVENT = {
    "timestamp": "2026-01-15T10:15:00.1234567Z",
    "worker_id": "W1",
    "workstation_id": "S3",
    "event_type": "product_count",
    "confidence": 0.93,
    "count": 7,
    "zone": 1,
}


@pytest.fixture
def rejected(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> Plant:
    """A plant that landed three records under too narrow a rule, and one record that no rule accepts."""
    plant.drop(
        "events/site_id=A/a.jsonl",
        "".join(json.dumps({**EVENT, "worker_id": f"W{n}"}) + "\n" for n in range(3)) + "7\n",
    )
    with monkeypatch.context() as narrow:
        narrow.setattr(events, "MAX_COUNT", 5)
        plant.land()
    assert [record["reason"] for record in plant.raw("rejected_records")] == ["bad_count"] * 3 + ["not_an_object"]
    return plant


def test_what_is_accepted_now_becomes_events_and_the_counts_follow(rejected: Plant) -> None:
    assert replay_rejected(rejected.settings) == ReplayReport(tried=4, accepted=3)
    assert [(event["worker_id"], event["position"], event["site_id"]) for event in rejected.raw("events")] == [
        ("W0", 1, "A"),
        ("W1", 2, "A"),
        ("W2", 3, "A"),
    ]
    assert [record["position"] for record in rejected.raw("rejected_records")] == [4]
    (landed,) = rejected.raw("landed_objects")
    assert (landed["records"], landed["accepted"], landed["rejected"]) == (4, 3, 1)
    assert landed["unexpected_fields"] == ["zone"]


def test_more_records_than_are_held_at_once_are_all_tried(rejected: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, "SHARE_RECORDS", 2)
    assert replay_rejected(rejected.settings) == ReplayReport(tried=4, accepted=3)
    assert [record["position"] for record in rejected.raw("rejected_records")] == [4]


def test_a_second_replay_changes_nothing(rejected: Plant) -> None:
    replay_rejected(rejected.settings)
    before = rejected.raw("events")
    assert replay_rejected(rejected.settings) == ReplayReport(tried=1, accepted=0)
    assert rejected.raw("events") == before


def test_replayed_marts_are_those_of_a_plant_that_accepted_at_once(
    rejected: Plant, tmp_path_factory: pytest.TempPathFactory
) -> None:
    replay_rejected(rejected.settings)
    rejected.batch()
    at_once = Plant(tmp_path_factory.mktemp("at_once"))
    for path in (rejected.landing / "archive/events/site_id=A").iterdir():
        at_once.drop("events/site_id=A/a.jsonl", path.read_bytes())
    at_once.batch()
    for mart in ("worker_shifts", "hourly_output", "model_days", "landed_objects"):
        assert rejected.mart(mart) == at_once.mart(mart)


def test_a_record_that_is_not_utf8_is_not_taken_for_what_is_kept_of_it(plant: Plant) -> None:
    plant.drop("events/a.jsonl", json.dumps(EVENT).encode().replace(b"W1", b"W\xff"))
    plant.land()
    assert plant.raw("rejected_records")[0]["payload"].startswith('{"timestamp"')
    assert replay_rejected(plant.settings) == ReplayReport(tried=0, accepted=0)


def test_a_time_that_was_too_far_ahead_when_it_landed_stays_rejected(plant: Plant) -> None:
    plant.drop("events/a.jsonl", json.dumps({**EVENT, "timestamp": "2026-03-05T00:00:00Z"}))
    plant.land()
    assert replay_rejected(plant.settings) == ReplayReport(tried=1, accepted=0)


def test_the_command_says_how_many_it_tried(
    rejected: Plant, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FLOORHOUSE_DATA_DIR", str(rejected.settings.data_dir))
    assert main(["replay"]) == 0
    assert capsys.readouterr().out == "4 rejected records tried again, 3 of them accepted now\n"
