"""The answers of a real server to a camera."""

from __future__ import annotations

import dataclasses
import gzip
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ingestion.contract.event_key import event_key
from ingestion.contract.events import Event
from tests.ingestion.intake.running import RunningIntake, event, running_intake
from tests.plant import Plant


def test_an_event_is_answered_with_all_its_fields_filled_in_and_its_key(intake: RunningIntake) -> None:
    answer = intake.post("/api/events", event(timestamp="2025-01-15T10:15:00.5+05:30", site_id=" north ", count=None))
    assert answer.status == 201
    assert len(answer.json.pop("id")) == 32
    assert {**answer.json, "id": None} == {
        "id": None,
        "timestamp": "2025-01-15T04:45:00.500000Z",
        "site_id": "north",
        "camera_id": "unknown",
        "worker_id": "W0",
        "workstation_id": "S3",
        "event_type": "working",
        "confidence": 0.93,
        "count": 1,
        "model_name": "unknown",
        "model_version": "unknown",
    }


def test_a_field_that_the_contract_got_later_is_answered_where_it_was_sent(intake: RunningIntake) -> None:
    station = intake.post("/api/events", event(worker_id=None)).json
    assert station["worker_id"] is None
    made = event(event_type="product_count", count=2, event_id=7)
    counted = event(event_type="product_count", count=None, count_total=1200)
    assert intake.post("/api/events", made).json["event_id"] == "7"
    assert intake.post("/api/events", counted).json["count_total"] == 1200
    assert "event_id" not in intake.post("/api/events", counted).json
    assert "count_total" not in intake.post("/api/events", made).json


def test_the_id_is_the_event_key_of_the_event_that_landing_reads(tmp_path: Path) -> None:
    plant = Plant(tmp_path)
    with running_intake(tmp_path) as running:
        known = {running.post("/api/events", event(number)).json["id"] for number in range(20)}
    plant.land()
    fields = [field.name for field in dataclasses.fields(Event)]
    landed = [{**row, "timestamp": row["event_at"], "count": row["unit_count"]} for row in plant.raw("events")]
    assert {event_key(Event(**{name: row[name] for name in fields})) for row in landed} == known


def test_a_record_is_stored_as_it_was_sent_without_defaults_and_with_fields_that_nobody_knows(
    intake: RunningIntake,
) -> None:
    sent = b'{ "timestamp":"2025-01-15T11:00:00Z",\r\n "worker_id":"W1", "workstation_id":"S3",\n'
    sent += b'"event_type":"idle","confidence":1e-1,"zone":{"a":[1.0,"\xc3\xa9\\u00e9\\n"]}}'
    assert intake.post("/api/events", b"\xef\xbb\xbf\n" + sent + b"\n").status == 201
    assert sent.replace(b"\r\n", b"  ").replace(b"\n", b" ") in intake.stored_lines()


def test_objects_lie_below_a_folder_of_the_day_that_names_no_site_and_no_camera(intake: RunningIntake) -> None:
    intake.post("/api/events", event(site_id="north", camera_id="gate"))
    keys = [path.relative_to(intake.data_dir / "landing").parts for path in intake.stored_objects()]
    today = datetime.now(UTC).date()
    assert {key[:-1] for key in keys} <= {("events", "intake", str(day)) for day in (today, today - timedelta(days=1))}
    assert not any("=" in part for key in keys for part in key)


def test_a_repeat_gets_the_same_answer_byte_for_byte_also_from_another_process(
    intake: RunningIntake, tmp_path: Path
) -> None:
    body = json.dumps(event(5, zone="unknown field")).encode()
    answers = [intake.post("/api/events", body) for _ in range(3)]
    with running_intake(tmp_path) as other:
        answers.append(other.post("/api/events", body))
    assert {answer.status for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1


@pytest.mark.parametrize("field", ["timestamp", "site_id", "worker_id", "workstation_id", "event_type"])
def test_the_id_changes_with_each_field_of_the_duplicate_key(intake: RunningIntake, field: str) -> None:
    other = {"timestamp": "2025-01-15T06:00:01Z", "event_type": "idle"}.get(field, "other")
    assert (
        intake.post("/api/events", event(**{field: other})).json["id"] != intake.post("/api/events", event()).json["id"]
    )


def test_the_same_event_seen_with_another_confidence_has_the_same_id_and_lands_once(tmp_path: Path) -> None:
    plant = Plant(tmp_path)
    with running_intake(tmp_path) as running:
        seen = {
            running.post("/api/events", event(**fields)).json["id"]
            for fields in (
                {},
                {},
                {"confidence": 0.99, "camera_id": "second"},
                {"count": 5, "timestamp": "2025-01-15T07:00:00+01:00"},
            )
        }
    plant.batch()
    assert len(seen) == 1
    assert [row["event_count"] for row in plant.mart("worker_shifts")] == [1]
    assert sum(row["accepted"] for row in plant.mart("landed_objects")) == 4


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (b"", 400, "empty_body"),
        (b" ", 422, "malformed_json"),
        (b"{", 422, "malformed_json"),
        (b'{"a":1} {"a":2}', 422, "malformed_json"),
        (b'"\xff"', 422, "malformed_json"),
        (b'{"confidence":NaN}', 422, "malformed_json"),
        (b"[" * 100_000, 422, "malformed_json"),
        (b"[]", 422, "not_an_object"),
        (b"null", 422, "not_an_object"),
        (event(workstation_id=None), 422, "missing_field"),
        (event(timestamp="yesterday"), 422, "bad_timestamp"),
        (event(timestamp="2025-01-15T10:15:00"), 422, "timestamp_without_offset"),
        (event(timestamp="1999-12-31T23:59:59Z"), 422, "timestamp_out_of_range"),
        (event(worker_id=7), 422, "bad_identifier"),
        (event(event_type="resting"), 422, "unknown_event_type"),
        (event(confidence=1.01), 422, "confidence_out_of_range"),
        (event(count=1.5), 422, "bad_count"),
    ],
)
def test_a_bad_record_is_answered_with_the_contracts_reason_and_a_sentence(
    intake: RunningIntake, body: object, status: int, reason: str
) -> None:
    before = intake.stored_lines()
    answer = intake.post("/api/events", body)
    assert (answer.status, answer.json["reason"]) == (status, reason)
    assert answer.json["detail"].endswith(".")
    assert intake.stored_lines() == before


@pytest.mark.parametrize(("encoding", "status"), [("gzip", 415), ("br", 415), ("Identity", 201)])
def test_a_body_with_an_encoding_is_refused_for_it_and_not_as_invalid_json(
    intake: RunningIntake, encoding: str, status: int
) -> None:
    body = json.dumps(event()).encode()
    sent = gzip.compress(body) if status == 415 else body
    answer = intake.post("/api/events", sent, Content_Encoding=encoding)
    assert answer.status == status
    assert status == 201 or f'"{encoding}"' in answer.json["detail"]


def test_a_time_further_ahead_than_a_day_is_refused_by_the_clock_of_the_intake(intake: RunningIntake) -> None:
    now = datetime.now(UTC)
    soon, late = ((now + timedelta(hours=hours)).isoformat() for hours in (23, 25))
    assert intake.post("/api/events", event(timestamp=soon)).status == 201
    assert intake.post("/api/events", event(timestamp=late)).json["reason"] == "timestamp_out_of_range"


def test_of_a_mixed_batch_the_good_records_are_kept_and_each_is_answered_at_its_index(tmp_path: Path) -> None:
    records = [event(1), event(2, count=1.5), 7, event(3, zone=1), event(4, confidence=None)]
    with running_intake(tmp_path) as running:
        answer = running.post("/api/events/batch", records)
        assert answer.status == 207
        assert (answer.json["accepted"], answer.json["rejected"]) == (2, 3)
        assert [(one["index"], one["status"], one.get("reason")) for one in answer.json["results"]] == [
            (0, 201, None),
            (1, 422, "bad_count"),
            (2, 422, "not_an_object"),
            (3, 201, None),
            (4, 422, "missing_field"),
        ]
        assert answer.json["results"][3]["event"] == running.post("/api/events", event(3, zone=1)).json
        assert [json.loads(line) for line in running.stored_lines()[:2]] == [records[0], records[3]]


@pytest.mark.parametrize(
    ("body", "status", "accepted", "rejected"),
    [
        ([event(1), event(2)], 201, 2, 0),
        ([event(1), {}], 207, 1, 1),
        ([{}, 1], 422, 0, 2),
        ([], 201, 0, 0),
    ],
)
def test_a_batch_is_201_when_all_are_good_207_when_some_are_and_422_when_none_is(
    intake: RunningIntake, body: object, status: int, accepted: int, rejected: int
) -> None:
    answer = intake.post("/api/events/batch", body)
    assert (answer.status, answer.json["accepted"], answer.json["rejected"]) == (status, accepted, rejected)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "empty_body"),
        (b"[{}", "malformed_json"),
        (b"[{}] []", "malformed_json"),
        (b'["\xff"]', "malformed_json"),
        (b"{}", "not_an_array"),
        (b"1", "not_an_array"),
    ],
)
def test_a_batch_that_is_no_json_array_is_a_bad_request(intake: RunningIntake, body: bytes, reason: str) -> None:
    answer = intake.post("/api/events/batch", body)
    assert (answer.status, answer.json["reason"]) == (400, reason)


def test_many_clients_at_once_share_objects_and_each_gets_its_own_answer(tmp_path: Path) -> None:
    with running_intake(tmp_path) as running, ThreadPoolExecutor(16) as clients:
        answers = list(clients.map(lambda number: running.post("/api/events", event(number)), range(320)))
        assert {answer.status for answer in answers} == {201}
        expected = [event(number)["timestamp"] for number in range(320)]
        stored = [json.loads(line)["timestamp"] for line in running.stored_lines()]
        assert sorted(stored) == sorted(map(str, expected))
        assert len(running.stored_objects()) < 320
    assert len({answer.json["id"] for answer in answers}) == 320


def test_paths_and_methods_that_do_not_exist_are_answered_in_the_same_shape(intake: RunningIntake) -> None:
    for method, path, status in (("GET", "/api/events", 405), ("POST", "/api/event", 404), ("GET", "/docs/x", 404)):
        answer = intake.request(method, path)
        assert (answer.status, set(answer.json)) == (status, {"reason", "detail"})


def test_the_health_answer_counts_what_was_taken_and_refused(tmp_path: Path) -> None:
    with running_intake(tmp_path) as running:
        running.post("/api/events/batch", [event(1), event(2), {}])
        health = running.request("GET", "/health")
    assert (health.status, health.json["status"]) == (200, "ok")
    assert [health.json[name] for name in ("accepted_events", "rejected_records", "written_objects")] == [2, 1, 1]
    assert (health.json["waiting_requests"], health.json["waiting_bytes"]) == (0, 0)
