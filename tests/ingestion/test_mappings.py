"""Objects of a source land through its mapping (contract §1)."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ingestion.landing.batch import LandingReport
from ingestion.landing.replay import ReplayReport, replay_rejected
from ingestion.mapping.mapping import MappingError
from tests.plant import NOW, Plant

PEOPLE = """
select
    position,
    record ->> 'when' as timestamp,
    unnest(from_json(record -> 'people', '["VARCHAR"]')) as worker_id,
    record ->> 'zone' as workstation_id,
    'working' as event_type,
    record -> 'score' as confidence
from records
"""
PLAIN = '{"timestamp": "2026-01-15T10:00:00Z", "workstation_id": "S9", "event_type": "idle", "confidence": 1}'
FOLDER = "events/site_id=A/camera_id=C1/Source=frigate"


def payload(*people: str, minute: int = 0, **more: object) -> str:
    known = {"when": f"2026-01-15T10:{minute:02d}:00Z", "people": people, "zone": "S1", "score": 0.9}
    return json.dumps({**known, **more})


def land(plant: Plant, hours: int = 0) -> tuple[LandingReport, list[str]]:
    said: list[str] = []
    return plant.land(NOW + timedelta(hours=hours), said.append), said


def places(rows: list[dict[str, Any]], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in ("position", "part", *names)) for row in rows]


def test_a_source_lands_through_its_mapping_and_waits_without_one_while_the_rest_lands(tmp_path: Path) -> None:
    plant = Plant(tmp_path)
    plant.drop("registry/mappings/frigate.sql", PEOPLE)
    plant.drop("registry/mappings/notes.txt", "x")
    lines = [
        payload("W1", "W2"),
        payload(),
        "{broken",
        payload("W3", minute=1) + payload("W5", "W6", minute=1) + " x",
        payload("W4", score=7, minute=2),
        '{"when": NaN}',
    ]
    plant.drop(f"{FOLDER}/a.jsonl", "\n".join(lines) + "\n")
    plant.drop("events/site_id=A/source=unknown/a.json", payload("W1"))
    plant.drop("events/source=b%2fc/a.json", payload("W1"))
    plant.drop("events/a.json", PLAIN)
    report, said = land(plant)
    assert (report.accepted, report.rejected, report.waiting) == (6, 4, 2)
    assert "registry/mappings/notes.txt is no registry and is ignored" in said
    assert [line for line in said if "wait" in line] == [
        (
            "The folder source=b/c has a name that no mapping can have; allowed: 1 to 64 letters, digits, '-', '_' and "
            "'.', the first one a letter, a digit or '-'; 1 object waits in the bucket, and nothing is lost."
        ),
        (
            "The folder source=unknown has no mapping in force; it is read through registry/mappings/unknown.sql; "
            "1 object waits in the bucket, and nothing is lost."
        ),
    ]
    assert sorted(plant.waiting_keys()) == ["events/site_id=A/source=unknown/a.json", "events/source=b%2fc/a.json"]
    own, mapped = sorted(plant.raw("landed_objects"), key=lambda row: row["mapping"] is not None)
    events = [row for row in plant.raw("events") if row["object_id"] == mapped["object_id"]]
    assert places(events, "worker_id", "camera_id") == [
        (1, 1, "W1", "C1"),
        (1, 2, "W2", "C1"),
        (4, 1, "W3", "C1"),
        (4, 2, "W5", "C1"),
        (4, 3, "W6", "C1"),
    ]
    rejected = plant.raw("rejected_records")
    assert places(rejected, "reason") == [
        (3, 1, "malformed_json"),
        (4, 4, "malformed_json"),
        (5, 1, "confidence_out_of_range"),
        (6, 1, "malformed_json"),
    ]
    assert json.loads(rejected[2]["payload"])["worker_id"] == "W4"
    assert mapped["mapping"].startswith("frigate@")
    counts = ("records", "accepted", "rejected", "source_records", "skipped_records")
    assert [mapped[name] for name in counts] == [9, 5, 4, 8, 1]
    assert [own[name] for name in counts] == [1, 1, 0, 1, 0]

    # the mapping arrives, and the next batch lands what waited
    plant.drop("registry/mappings/unknown.sql", PEOPLE)
    report, _ = land(plant, 1)
    assert (report.accepted, report.waiting) == (1, 1)
    assert [row["source"] for row in plant.raw("stopped_sources")] == ["b/c"]
    # the archive keeps the camera's own bytes
    (kept,) = (plant.landing / "archive" / FOLDER).iterdir()
    assert kept.read_text() == "\n".join(lines) + "\n"


def test_the_last_good_version_stays_in_force_and_a_failure_stops_its_source_alone(tmp_path: Path) -> None:
    plant = Plant(tmp_path)
    plant.drop("registry/mappings/frigate.sql", PEOPLE.replace("from records", "from nowhere"))
    plant.drop(f"{FOLDER}/a.json", payload("W1"))
    report, said = land(plant)
    assert report.waiting == 1
    refusal = (
        "registry/mappings/frigate.sql, line 9: it reads 'nowhere'; a mapping reads the table records and nothing "
        "else; the objects of source=frigate wait."
    )
    assert refusal in said
    assert [(row["file"], row["sentence"]) for row in plant.raw("registry_refusals")] == [
        ("mappings/frigate.sql", refusal)
    ]

    plant.drop("registry/mappings/frigate.sql", PEOPLE)
    report, _ = land(plant, 1)
    assert (report.accepted, plant.raw("registry_refusals"), plant.raw("stopped_sources")) == (1, [], [])
    first = plant.raw("landed_objects")[0]["mapping"]

    # a version that cannot be parsed never takes effect
    plant.drop("registry/mappings/frigate.sql", "select position,\n from from records")
    plant.drop(f"{FOLDER}/b.json", payload("W2"))
    report, said = land(plant, 2)
    assert report.accepted == 1
    assert plant.raw("landed_objects")[1]["mapping"] == first
    version = first.partition("@")[2]
    expected = (
        f'registry/mappings/frigate.sql, line 2: syntax error at or near "from"; version {version} stays in force.'
    )
    assert expected in said

    # nor does a missing file, until somebody confirms that it is meant
    (plant.landing / "registry/mappings/frigate.sql").unlink()
    _, said = land(plant, 3)
    assert (
        f"registry/mappings/frigate.sql is gone; version {version} stays in force. If that is meant, write {version} "
        "into registry/mappings/frigate.sql.confirm."
    ) in said
    plant.drop("registry/mappings/frigate.sql.confirm", version)
    plant.drop(f"{FOLDER}/c.json", payload("W3"))
    report, said = land(plant, 4)
    assert report.waiting == 1

    # a confirmation holds once
    plant.drop("registry/mappings/frigate.sql", PEOPLE)
    report, said = land(plant, 4)
    assert (report.accepted, report.waiting) == (1, 0)
    (plant.landing / "registry/mappings/frigate.sql").unlink()
    _, said = land(plant, 4)
    assert "registry/mappings/frigate.sql.confirm was written before this change and does not confirm it" in said

    # one that fails over some record stops its own source; no value of a record is quoted
    plant.drop("registry/mappings/frigate.sql", PEOPLE.replace("record ->> 'zone'", "(record ->> 'zone')::integer"))
    plant.drop(f"{FOLDER}/d.json", payload("W4"))
    plant.drop("events/z.json", PLAIN)
    report, said = land(plant, 5)
    assert (report.accepted, report.waiting) == (1, 1)
    (failure,) = (line for line in said if "line 6" in line)
    assert failure == (
        "registry/mappings/frigate.sql, line 6: Could not convert string '…' to INT32; "
        "1 object waits in the bucket, and nothing is lost."
    )
    assert plant.waiting_keys() == [f"{FOLDER}/d.json"]


@pytest.mark.parametrize(
    ("select", "reason"),
    [
        ("position + 1 as position", "it yields a position that no record has"),
        ("nullif(position, position) as position", "it yields a row without a position"),
        ("position, unnest(range(200000)) as count", "it makes more than"),
    ],
    ids=["foreign", "null", "bomb"],
)
def test_rows_of_no_record_are_refused(tmp_path: Path, select: str, reason: str) -> None:
    plant = Plant(tmp_path)
    plant.drop("registry/mappings/frigate.sql", f"select {select} from records")
    plant.drop(f"{FOLDER}/a.json", payload("W1"))
    report, said = land(plant)
    assert (report.objects, report.waiting) == (0, 1)
    assert any(f"frigate.sql: {reason}" in line for line in said), said


def test_replay_reads_a_source_again_under_its_new_mapping_exactly_once(tmp_path: Path) -> None:
    plant = Plant(tmp_path)
    plant.drop("registry/mappings/frigate.sql", PEOPLE.replace("'working'", "'wroking'"))
    plant.drop(f"{FOLDER}/a.jsonl", f"{payload('W1', 'W2')}\n{payload()}\n{{broken\n")
    land(plant)
    plant.drop(f"{FOLDER}/a.jsonl", f"{payload('W1', 'W3')}\n")  # another content of the same key
    plant.drop("events/a.json", PLAIN)
    land(plant, 1)
    assert len(plant.raw("events")) == 1
    plant.drop("registry/mappings/frigate.sql", PEOPLE)
    land(plant, 2)
    assert len(plant.raw("events")) == 1  # a changed mapping applies to what lands from then on
    assert replay_rejected(plant.settings) == ReplayReport(tried=4, accepted=0)

    assert replay_rejected(plant.settings, ["frigate"]) == ReplayReport(tried=5, accepted=4, objects=2)
    events = plant.raw("events")
    assert sorted((row["object_id"], row["worker_id"] or "") for row in events) == [
        (1, "W1"), (1, "W2"), (2, ""), (3, "W1"), (3, "W3"),
    ]  # fmt: skip
    assert [(row["records"], row["accepted"], row["skipped_records"]) for row in plant.raw("landed_objects")] == [
        (3, 2, 1), (1, 1, 0), (2, 2, 0),
    ]  # fmt: skip
    assert len({row["mapping"] for row in plant.raw("landed_objects")}) == 2
    (rejected,) = plant.raw("rejected_records")
    assert (rejected["reason"], rejected["superseded_at"] is not None) == ("malformed_json", True)
    assert replay_rejected(plant.settings, ["frigate"]) == ReplayReport(tried=0, accepted=0)
    assert plant.raw("events") == events
    with pytest.raises(MappingError, match="source=axis has no mapping in force"):
        replay_rejected(plant.settings, ["axis"])
