"""Intake and landing judge every record alike."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ingestion.contract.events import Event, Folder, Refusal, judge_record
from ingestion.intake.judging import Bounds, Judged, Unreadable, judge_batch, judge_event
from ingestion.intake.keys import Sender
from tests.ingestion.intake.running import event
from tests.plant import NOW, Plant

BOUNDS = Bounds(max_records=1000, max_record_bytes=1 << 20)
RIGHT = json.dumps(event()).encode()
RECORDS = [
    RIGHT,
    json.dumps(event(1), indent=2).encode(),
    json.dumps(event(2, worker_id="  Ж\u00a0 ", site_id="a b")).encode()[:-1] + b',"far":{"further":[1e400,null]}}',
    RIGHT.replace(b"0.93", b"-0.0"),
    RIGHT.replace(b"0.93", b"1E-3"),
    RIGHT.replace(b'"count": 1', b'"count": 1000000'),
    RIGHT.replace(b'"count": 1', b'"count": 1.0'),
    RIGHT.replace(b'"count": 1', b'"count": 1e2'),
    RIGHT.replace(b'"count": 1', b'"count": null'),
    RIGHT.replace(b'"W0"', b'"\\ud800"'),
    RIGHT.replace(b'"W0"', b'"W0\\u0000"'),
    RIGHT[:-1] + b',"note":"\\ud800"}',
    RIGHT[:-1] + b',"worker_id":"last one counts"}',
    RIGHT[:-1] + b',"note":"a\\nline\\r\\nbreak"}',
    RIGHT.replace(b"06:00:00Z", b"06:00:00.1234567-23:59"),
    b"{}",
    b"[]",
    b'"text"',
    b"null",
    b"-1.5e3",
]


# Fields that an answer contains only if they were sent.
WHERE_SENT = {"event_id": None, "count_total": None}


def judged(records: list[bytes], sender: Sender | None = None) -> Judged:
    return judge_batch(b" [\n" + b" ,\r\n\t".join(records) + b"]\n", sender or Sender(), NOW, BOUNDS)


def results_of(records: list[bytes]) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = json.loads(judged(records).answer)["results"]
    return results


def test_every_record_of_a_batch_has_the_verdict_of_the_contract() -> None:
    for raw, result in zip(RECORDS, results_of(RECORDS), strict=True):
        verdict, _ = judge_record(raw, Folder(), NOW)
        if isinstance(verdict, Refusal):
            assert (result["status"], result["reason"], result["detail"]) == (422, verdict.reason, verdict.detail)
        else:
            fields = {**dataclasses.asdict(verdict), "timestamp": verdict.timestamp.isoformat().replace("+00:00", "Z")}
            answer = {**WHERE_SENT, **result["event"]}
            del answer["id"]
            assert answer == fields


@pytest.mark.parametrize("raw", RECORDS, ids=range(len(RECORDS)))
def test_a_record_has_the_same_verdict_alone_and_in_a_batch(raw: bytes) -> None:
    alone, (in_batch,) = judge_event(raw, Sender(), NOW, BOUNDS), results_of([raw])
    answer = json.loads(alone.answer)
    assert answer == in_batch.get("event", {name: in_batch[name] for name in ("reason", "detail") if name in in_batch})
    assert alone.lines == judged([raw]).lines


def test_landing_accepts_each_line_that_is_kept_with_the_values_that_were_answered(tmp_path: Path) -> None:
    plant = Plant(tmp_path)
    whole = judged(RECORDS)
    plant.drop("events/intake/2026-03-01/1.jsonl", whole.lines)
    report = plant.land()
    assert (report.accepted, report.rejected) == (whole.accepted, 0)
    renamed = {"timestamp": "event_at", "count": "unit_count"}
    rows = {row["position"]: row for row in plant.raw("events")}
    accepted = [one["event"] for one in json.loads(whole.answer)["results"] if one["status"] == 201]
    for position, answer in enumerate(accepted, 1):
        answer |= {name: answer.get(name) for name in WHERE_SENT}
        answer["timestamp"] = datetime.fromisoformat(answer["timestamp"]).astimezone(UTC)
        for field in dataclasses.fields(Event):
            assert rows[position][renamed.get(field.name, field.name)] == answer[field.name]


def test_a_record_that_landing_finds_too_large_is_refused_and_one_of_the_greatest_size_lands(tmp_path: Path) -> None:
    def of_size(size: int) -> bytes:
        return RIGHT[:-1] + b',"note":"%s"}' % (b"x" * (size - len(RIGHT) - len(b',"note":""')))

    records = [of_size(BOUNDS.max_record_bytes), of_size(BOUNDS.max_record_bytes + 1), RIGHT]
    whole = judged(records)
    results = json.loads(whole.answer)["results"]
    assert [(one["status"], one.get("reason")) for one in results] == [
        (201, None),
        (422, "malformed_json"),
        (201, None),
    ]
    assert results[1]["detail"] == "The record has 1048577 bytes; landing reads at most 1048576."
    plant = Plant(tmp_path)
    plant.drop("events/kept.jsonl", whole.lines)
    plant.drop("events/all.jsonl", b"\n".join(records))
    assert (plant.land().accepted, len(plant.raw("rejected_records"))) == (4, 1)


def test_a_record_that_is_nested_too_deep_does_not_spoil_the_others() -> None:
    deep = RIGHT[:-1] + b',"note":' + b"[" * 300 + b"]" * 300 + b"}"
    assert [one.get("reason") for one in results_of([RIGHT, deep, RIGHT])] == [None, "malformed_json", None]


def test_an_array_that_only_the_exact_reading_takes_is_split_all_the_same() -> None:
    awkward = RIGHT[:-1] + b',"note":"\\ud800 , ] \\""}'
    assert [one["status"] for one in results_of([awkward, RIGHT, b"[1,2]"])] == [201, 201, 422]
    assert judged([awkward]).lines == awkward + b"\n"


@pytest.mark.parametrize(
    "body",
    [b"[" * 100_000, b"[" * 100_000 + b"]" * 100_000, b"[1,]", b"[1 2]", b"[01]", b"[NaN]", b"\xef\xbb\xbf"],
    ids=["open", "deep", "comma", "no comma", "zero", "not a number", "mark"],
)
def test_a_hostile_body_is_unreadable_and_nothing_worse(body: bytes) -> None:
    with pytest.raises(Unreadable) as error:
        judge_batch(body, Sender(), NOW, BOUNDS)
    assert error.value.problem.status == 400
