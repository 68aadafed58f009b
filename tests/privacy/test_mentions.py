"""Mentions of a person outside known fields are found, reported, and deleted if somebody confirms them."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from ingestion.contract.events import Folder
from ingestion.warehouse import warehouse_lock
from orchestration.dbt import runner
from orchestration.deletions import erase_worker, search_worker
from privacy.person import Person, is_theirs, mentions
from tests.plant import WITHOUT_DATA_TESTS, Plant

SITE, WORKER, NAME = "north", "Worker-17", "Jane Doe-Smith"
PERSON = Person(SITE, WORKER, frozenset({WORKER}), names=frozenset({NAME}))
GOOD = {
    "timestamp": "2026-01-15T10:15:00Z",
    "site_id": SITE,
    "workstation_id": "S3",
    "event_type": "working",
    "confidence": 0.93,
}

UNATTRIBUTED = {
    "a cut line that names no site": b'{"worker_id": "Worker-17", "timest',
    "a cut line with escapes": b'{"worker_id": "Worker\\u002d17", "timest',
    "an id in a list": json.dumps({**GOOD, "crew": ["W2", WORKER]}).encode(),
    "an id in an unknown field": json.dumps({**GOOD, "operator": WORKER}).encode(),
    "a name in an unknown field": json.dumps({**GOOD, "operator": NAME}).encode(),
    "an id as a field's name": json.dumps({**GOOD, WORKER: 1}).encode(),
    "an id deep below another site": json.dumps({"site_id": "south", "x": [{"y": {"badge": WORKER}}]}).encode(),
    "an id in a sentence": json.dumps({**GOOD, "note": f"seen: {WORKER}."}).encode(),
    "an id in the place of a number": json.dumps({**GOOD, "confidence": WORKER}).encode(),
    "a text alone": b'"Worker-17"',
}


@pytest.mark.parametrize("raw", UNATTRIBUTED.values(), ids=UNATTRIBUTED)
def test_what_nothing_attributes_is_a_mention_and_is_theirs_where_somebody_says_so(raw: bytes) -> None:
    assert not is_theirs(raw, Folder(), PERSON)
    assert mentions(raw, Folder(), PERSON)
    assert is_theirs(raw, Folder(), replace(PERSON, takes_mentions=True))


@pytest.mark.parametrize(
    "fields",
    [
        {"worker_id": "Worker-170"},
        {"worker_id": WORKER, "site_id": "south"},
        {"worker_id": "W2", "workstation_id": WORKER},
        {"worker_id": "W2", "note": "Worker-170"},
    ],
    ids=["a longer id", "the id at another site", "a station of that name", "a longer id in a text"],
)
def test_what_is_somebody_elses_is_no_mention(fields: dict[str, str]) -> None:
    raw = json.dumps({**GOOD, **fields}).encode()
    assert not is_theirs(raw, Folder(), PERSON)
    assert not mentions(raw, Folder(), PERSON)


def test_an_id_of_digits_is_no_number() -> None:
    person = Person(SITE, "17", frozenset({"17"}))
    assert not mentions(b'{"count": 17, "x": 3}', Folder(), person)
    assert not mentions(b'{"x": [17.5], "confi', Folder(), person)
    assert mentions(b'{"badge": "17"}', Folder(), person)
    assert mentions(b'{"badge": 17}', Folder(), person)
    assert mentions(b'{"badge": "17", "confi', Folder(), person)


def test_an_erasure_does_not_claim_more_than_it_can_and_deletes_mentions_when_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "BUILD", WITHOUT_DATA_TESTS)
    plant = Plant(tmp_path)
    plant.drop("registry/workers.csv", f"site_id,worker_id,name\n{SITE},{WORKER},{NAME}\n")
    mine = json.dumps({**GOOD, "worker_id": WORKER}).encode()
    other = json.dumps({**GOOD, "worker_id": "W2"}).encode()
    plant.drop("events/a.jsonl", b"\n".join([mine, other, *UNATTRIBUTED.values()]) + b"\n")
    plant.drop(f"events/site_id={SITE}/b.jsonl", b'{"worker_id": "Worker-17", "timest\n')
    plant.batch()
    with warehouse_lock(plant.settings):
        listed = search_worker(plant.settings, SITE, WORKER).mentions
        (place,) = [place for place in listed if place.startswith("archive/events/a")]
        assert {"warehouse.duckdb: raw.rejected_records", "warehouse.duckdb: raw.landed_objects"} <= set(listed)
        erased = erase_worker(plant.settings, SITE, WORKER)
        assert erased.proof.mentions[place] == len(UNATTRIBUTED)
        assert erased.deleted.bucket.records == 3  # an event, a cut line in the site's folder, a row of workers.csv
        # The registry row is deleted, and the name with it, so a search by id finds everything but the name.
        erased = erase_worker(plant.settings, SITE, WORKER, also=["all"])
    assert erased.proof.mentions == erased.proof.found == {}
    files = [path for path in tmp_path.rglob("*") if path.is_file() and not path.is_symlink()]
    assert [path for path in files if WORKER.encode() in path.read_bytes()] == []
    assert [event["worker_id"] for event in plant.raw("events") if event["worker_id"]] == ["W2"]  # others: stations
