"""How the warehouse identifies people, and what happens when the setting changes."""

import json
from pathlib import Path

import pytest

from ingestion.errors import SettingsError
from ingestion.identity.journal import is_purge_owed
from ingestion.identity.pseudonyms import pseudonym
from ingestion.landing.replay import ReplayReport, replay_rejected
from orchestration.deletions import finish_deletions
from tests.plant import Plant

KEY = "a key that is long enough for a plant"
PSEUDONYM = {"worker_identity": "pseudonym", "pseudonym_key": KEY}
EVENT = {
    "timestamp": "2026-01-15T10:15:00Z",
    "worker_id": "Worker-17",
    "workstation_id": "S3",
    "event_type": "working",
    "confidence": 0.93,
}
TOKEN = pseudonym(KEY.encode(), "default", "Worker-17")


def fill(plant: Plant) -> None:
    bad = {**EVENT, "count": "many", "operator": "Jane Doe-Smith"}
    plant.drop("registry/workers.csv", "site_id,worker_id,name\n,Worker-17,Jane Doe-Smith\n")
    plant.drop("events/a.jsonl", "".join(json.dumps(record) + "\n" for record in (EVENT, bad)) + "Worker-17\n")


def stored_bytes(plant: Plant) -> bytes:
    """The content of all files of the data folder except those of the bucket."""
    paths = [path for path in plant.settings.data_dir.rglob("*") if path.is_file() and not path.is_symlink()]
    return b"".join(path.read_bytes() for path in paths if not path.is_relative_to(plant.landing))


def test_under_pseudonyms_neither_ids_nor_names_are_stored_anywhere(tmp_path: Path) -> None:
    named, hidden = Plant(tmp_path / "named"), Plant(tmp_path / "hidden", **PSEUDONYM)
    for plant in (named, hidden):
        fill(plant)
        plant.batch()
    for text in (b"Worker-17", b"Jane Doe-Smith"):
        assert text in stored_bytes(named)  # otherwise the search below would prove nothing
        assert text not in stored_bytes(hidden)
    (shift,) = hidden.mart("worker_shifts")
    assert (shift["worker_id"], shift["worker_name"], shift["is_registered"]) == (TOKEN, TOKEN, True)
    assert KEY.encode() not in stored_bytes(hidden)


def test_a_rejected_record_is_tried_again_under_its_pseudonym(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant = Plant(tmp_path, **PSEUDONYM)
    plant.drop("events/a.jsonl", json.dumps({**EVENT, "timestamp": "2026-01-15T10:15:00.1234567Z", "count": 7}))
    with monkeypatch.context() as narrow:
        narrow.setattr("ingestion.contract.events.MAX_COUNT", 5)
        plant.land()
    assert plant.raw("events") == []
    assert replay_rejected(plant.settings) == ReplayReport(tried=1, accepted=1)
    assert [event["worker_id"] for event in plant.raw("events")] == [TOKEN]


def test_a_named_warehouse_is_converted_to_what_a_pseudonymous_one_would_be(tmp_path: Path) -> None:
    converted, hidden = Plant(tmp_path / "converted"), Plant(tmp_path / "hidden", **PSEUDONYM)
    for plant in (converted, hidden):
        fill(plant)
        plant.batch()
    later = Plant(tmp_path / "converted", **PSEUDONYM)
    finish_deletions(later.settings, print)
    for text in (b"Worker-17", b"Jane Doe-Smith"):
        assert text not in stored_bytes(later)
    for table in ("events", "workers", "rejected_records", "identity"):
        assert later.raw(table) == hidden.raw(table)
    for mart in ("worker_shifts", "state_intervals", "site_shifts", "workstation_shifts", "hourly_output"):
        assert later.mart(mart) == hidden.mart(mart)
    assert not is_purge_owed(later.settings)
    assert later.land().objects == 0


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({}, "FLOORHOUSE_WORKER_IDENTITY is 'named' without a key, but the warehouse .* holds pseudonyms"),
        ({"worker_identity": "aggregate"}, "FLOORHOUSE_WORKER_IDENTITY is 'aggregate' without a key"),
        (
            {**PSEUDONYM, "pseudonym_key": "another key that is long enough too!"},
            "FLOORHOUSE_PSEUDONYM_KEY is not shown here; allowed: the key",
        ),
    ],
)
def test_pseudonyms_do_not_go_back_and_do_not_change_their_key(
    tmp_path: Path, settings: dict[str, str], sentence: str
) -> None:
    plant = Plant(tmp_path, **PSEUDONYM)
    fill(plant)
    plant.land()
    before = plant.raw("events")
    plant.drop("events/b.jsonl", json.dumps({**EVENT, "worker_id": "W2"}))
    other = Plant(tmp_path, **settings)
    for attempt in (
        other.land,
        lambda: replay_rejected(other.settings),
        lambda: finish_deletions(other.settings, print),
    ):
        with pytest.raises(SettingsError, match=sentence):
            attempt()
    assert plant.raw("events") == before


def test_aggregate_with_the_key_keeps_the_pseudonyms(tmp_path: Path) -> None:
    plant = Plant(tmp_path, **PSEUDONYM)
    fill(plant)
    plant.land()
    both = Plant(tmp_path, **{**PSEUDONYM, "worker_identity": "aggregate"})
    both.drop("events/b.jsonl", json.dumps({**EVENT, "workstation_id": "S4"}))
    both.land()
    assert {event["worker_id"] for event in both.raw("events")} == {TOKEN}
