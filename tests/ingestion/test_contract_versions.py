"""Which version of the contract a record follows."""

import json

import pytest

from ingestion.contract import events
from ingestion.landing.replay import ReplayReport, replay_rejected
from tests.plant import EVENT, Plant


def of_version(text: str, worker: str) -> str:
    return f'{json.dumps({**EVENT, "worker_id": worker})[:-1]}, "contract_version": {text}}}\n'


@pytest.mark.parametrize("text", ["1", "null"])
def test_a_record_of_the_first_version_says_so_or_says_nothing(plant: Plant, text: str) -> None:
    plant.drop(
        "events/a.jsonl", of_version(text, "W1") + of_version(text, "W2").replace("10:15:00", "10:15:00.1234567")
    )
    assert plant.land().accepted == 2
    assert plant.raw("landed_objects")[0]["unexpected_fields"] == []


@pytest.mark.parametrize("text", ["2", "0", "-1", "1.5", "1e1", '"1"', "true", "[1]", "9" * 5000])
def test_a_version_that_is_not_published_is_a_clear_rejection_of_the_record_alone(plant: Plant, text: str) -> None:
    plant.drop("events/a.jsonl", of_version(text, "W1") + of_version("1", "W2"))
    assert plant.land().accepted == 1
    (rejected,) = plant.raw("rejected_records")
    assert rejected["reason"] == "missing_field"
    assert rejected["detail"].startswith("contract_version is ")
    assert rejected["detail"].endswith("The record can be tried again after an upgrade.")


def test_after_an_upgrade_that_knows_the_version_the_record_is_accepted(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant.drop("events/a.jsonl", of_version("2", "W1"))
    plant.land()
    assert replay_rejected(plant.settings) == ReplayReport(tried=1, accepted=0)
    monkeypatch.setattr(events, "VERSIONS", {**events.VERSIONS, 2: events.VERSIONS[1]})
    assert replay_rejected(plant.settings) == ReplayReport(tried=1, accepted=1)
    assert [event["worker_id"] for event in plant.raw("events")] == ["W1"]
