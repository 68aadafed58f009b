"""Sites without people: worker ids are removed from landing and stored records, labels and rejected texts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ingestion.contract.event_key import event_key
from ingestion.contract.events import Event, Folder, judge_record
from ingestion.landing.replay import replay_rejected
from ingestion.warehouse import warehouse_lock
from tests.plant import EVENT, NOW, Plant

SITES = "site_id,name,timezone,people\nA,Works A,UTC,{people}\nB,Works B,UTC,\n"
RECORDS: list[dict[str, Any]] = [
    {"site_id": "A"},
    {"site_id": "A", "worker_id": "W2"},
    {"site_id": "B"},
    {"site_id": "A", "confidence": 2, "note": "W1 was here"},
    {"site_id": "B", "confidence": 2},
]


def lines(records: list[dict[str, Any]]) -> str:
    return "".join(json.dumps({**EVENT, **record}) + "\n" for record in records)


def key_of(record: dict[str, Any], nameless: frozenset[str] = frozenset()) -> str:
    verdict, _ = judge_record(json.dumps({**EVENT, **record}).encode(), Folder(), NOW, nameless)
    assert isinstance(verdict, Event)
    return event_key(verdict)


def workers(plant: Plant) -> list[tuple[str, str | None]]:
    return [(row["site_id"], row["worker_id"]) for row in plant.raw("events")]


def test_what_lands_at_a_site_without_people_has_no_worker(tmp_path: Path) -> None:
    plant = Plant(tmp_path)
    plant.drop("registry/sites.csv", SITES.format(people="none"))
    plant.drop("registry/workers.csv", "site_id,worker_id,name\nA,W1,Ada\nB,W1,Bea\n")
    plant.drop("events/day.jsonl", lines([*RECORDS, {"site_id": "A", "worker_id": 7}]) + '{"worker_id": "W1", ')
    plant.land()
    assert sorted(workers(plant), key=str) == [("A", None), ("A", None), ("A", None), ("B", "W1")]
    assert [(row["site_id"], row["name"]) for row in plant.raw("workers")] == [("B", "Bea")]
    payloads = [row["payload"] for row in plant.raw("rejected_records")]
    # The cut record may be of any site.
    assert ["W1" in payload for payload in payloads] == [False, True, False]
    assert json.loads(payloads[0]) == {
        **{k: v for k, v in EVENT.items() if k != "worker_id"},
        "site_id": "A",
        "confidence": 2,
    }
    with warehouse_lock(plant.settings):
        assert replay_rejected(plant.settings).accepted == 0


def test_what_was_stored_of_a_site_that_becomes_one_without_people_is_converted_once(tmp_path: Path) -> None:
    plant = Plant(tmp_path)
    plant.drop("registry/sites.csv", SITES.format(people="named"))
    plant.drop("events/day.jsonl", lines(RECORDS))
    label = {"true_event_type": "idle", "reviewer": "r", "reviewed_at": "2026-01-16T09:00:00Z"}
    plant.drop("labels/l.jsonl", "".join(json.dumps({**label, "event_key": key_of(one)}) + "\n" for one in RECORDS[:3]))
    plant.land()
    plant.drop("registry/sites.csv", SITES.format(people="none"))
    plant.land()
    assert sorted(workers(plant), key=str) == [("A", None), ("A", None), ("B", "W1")]
    of_station = key_of(RECORDS[0], frozenset({"A"}))
    kept = key_of(RECORDS[2])
    assert sorted(row["event_key"] for row in plant.raw("labels")) == sorted([of_station, of_station, kept])
    assert sorted(row["event_key"] for row in plant.raw("labelled_keys")) == sorted([of_station, kept])
    assert ["W1" in row["payload"] for row in plant.raw("rejected_records")] == [False, True]
    before = plant.raw("events")
    plant.land()
    assert plant.raw("events") == before
