"""Labels land exactly once, wait for their events, and are counted on one side only, whatever arrived first."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.contract import labels
from ingestion.contract.event_key import event_key
from ingestion.contract.events import Event, Folder, Refusal, judge_record
from ingestion.contract.labels import Label, judge_label
from ingestion.landing.replay import ReplayReport, replay_rejected
from ingestion.warehouse import open_warehouse
from tests.plant import EVENT, NOW, Plant


def event(number: int) -> dict[str, object]:
    return {**EVENT, "worker_id": f"W{number}"}


def key_of(record: dict[str, object]) -> str:
    verdict, _ = judge_record(json.dumps(record).encode(), Folder(), NOW)
    assert isinstance(verdict, Event)
    return event_key(verdict)


LABEL = {
    "event_key": key_of(EVENT),
    "true_event_type": "idle",
    "reviewer": "reviewer-1",
    "reviewed_at": "2026-01-16T09:00:00Z",
}


def lines(*records: object) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def counts(plant: Plant, key: str = "labels/a.jsonl") -> tuple[int, int, int]:
    (landed,) = [one for one in plant.raw("landed_objects") if one["object_key"] == key]
    return landed["records"], landed["accepted"], landed["rejected"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"reviewer": None}, "missing_field"),
        ({"reviewed_at": "yesterday"}, "bad_timestamp"),
        ({"reviewed_at": "2026-01-16T09:00:00"}, "timestamp_without_offset"),
        ({"reviewed_at": "2027-01-16T09:00:00Z"}, "timestamp_out_of_range"),
        ({"event_key": 7}, "bad_identifier"),
        ({"event_key": " "}, "bad_identifier"),
        ({"reviewer": "r" * 65}, "bad_identifier"),
        ({"true_event_type": "sleeping"}, "unknown_event_type"),
        ({"true_event_type": 1}, "unknown_event_type"),
        # the first reason in the contract's order
        ({"reviewed_at": "yesterday", "reviewer": None}, "missing_field"),
        ({"true_event_type": "sleeping", "reviewer": ""}, "bad_identifier"),
        ({"true_event_type": "sleeping", "reviewed_at": 1}, "bad_timestamp"),
    ],
    ids=str,
)
def test_an_invalid_label_has_the_first_reason_that_applies(change: dict[str, Any], reason: str) -> None:
    verdict, _ = judge_label(json.dumps({**LABEL, **change}).encode(), NOW)
    assert isinstance(verdict, Refusal)
    assert verdict.reason == reason
    assert reason in labels.REASONS


def test_a_label_is_read_trimmed_and_its_other_fields_are_named() -> None:
    raw = json.dumps({**LABEL, "reviewer": " r ", "reviewed_at": "2026-01-16T14:30:00+05:30", "note": "?"}).encode()
    label = Label(key_of(EVENT), "idle", "r", datetime(2026, 1, 16, 9, tzinfo=UTC))
    assert judge_label(raw, NOW) == (label, frozenset({"note"}))


def test_a_reviewer_may_say_that_nobody_can_tell() -> None:
    verdict, _ = judge_label(json.dumps({**LABEL, "true_event_type": "cannot_tell"}).encode(), NOW)
    assert isinstance(verdict, Label)
    assert verdict.true_event_type == "cannot_tell"


AUDIT_KEY = f"audit-{'0a' * 16}"
AUDIT = {"audit_key": AUDIT_KEY, "true_state": "nobody", "reviewer": "r", "reviewed_at": LABEL["reviewed_at"]}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"true_state": None}, "missing_field"),
        ({"audit_key": "0a" * 16}, "bad_identifier"),
        ({"audit_key": 7}, "bad_identifier"),
        ({"event_key": LABEL["event_key"]}, "bad_identifier"),
        ({"true_state": "product_count"}, "unknown_event_type"),
        ({"true_state": ["nobody"]}, "unknown_event_type"),
        ({"audit_key": None, "event_key": AUDIT_KEY, "true_event_type": "idle"}, "bad_identifier"),
        ({"audit_key": None, "event_key": LABEL["event_key"], "true_event_type": "nobody"}, "unknown_event_type"),
    ],
    ids=str,
)
def test_an_audit_label_names_a_key_of_its_queue_and_a_state(change: dict[str, Any], reason: str) -> None:
    verdict, _ = judge_label(json.dumps({**AUDIT, **change}).encode(), NOW)
    assert isinstance(verdict, Refusal)
    assert verdict.reason == reason


def test_an_audit_label_lands_and_waits_for_no_event(plant: Plant) -> None:
    plant.drop("labels/a.jsonl", lines(AUDIT, {**AUDIT, "true_state": "cannot_tell", "reviewer": "s"}))
    assert plant.land().labels_without_event == 0
    plant.land(NOW + timedelta(days=31))
    assert [(one["event_key"], one["true_event_type"]) for one in plant.raw("labels")] == [
        (AUDIT_KEY, "nobody"),
        (AUDIT_KEY, "cannot_tell"),
    ]
    assert counts(plant) == (2, 2, 0)


def test_label_objects_land_once_with_their_rejected_records(plant: Plant) -> None:
    content = lines(LABEL, {**LABEL, "true_event_type": "sleeping"}, [1]) + "{\n"
    for _ in range(2):
        plant.drop("labels/a.jsonl", content)
        report = plant.land()
    assert (report.objects, report.already_landed, report.archived) == (0, 1, 1)
    assert len(plant.raw("labels")) == 1
    assert [one["reason"] for one in plant.raw("rejected_records")] == [
        "unknown_event_type",
        "not_an_object",
        "malformed_json",
    ]
    assert counts(plant) == (4, 1, 3)


def test_events_and_labels_of_one_batch_keep_apart(plant: Plant) -> None:
    plant.drop("events/a.jsonl", lines(EVENT, LABEL))
    plant.drop("labels/a.jsonl", lines(LABEL, EVENT))
    report = plant.land()
    assert (report.objects, report.accepted, report.labels, report.rejected) == (2, 1, 1, 2)
    assert report.labels_without_event == 0
    assert [one["reason"] for one in plant.raw("rejected_records")] == ["missing_field"] * 2


def test_a_label_waits_30_days_for_its_event_and_is_rejected_then_with_its_text(plant: Plant) -> None:
    plant.drop("labels/a.jsonl", lines(LABEL))
    assert plant.land().labels_without_event == 1
    plant.land(NOW + timedelta(days=30) - timedelta(microseconds=1))
    assert counts(plant) == (1, 1, 0)
    plant.land(NOW + timedelta(days=30))
    (rejected,) = plant.raw("rejected_records")
    assert (rejected["reason"], rejected["position"], json.loads(rejected["payload"])) == (
        "unknown_event_key",
        1,
        LABEL,
    )
    assert plant.raw("labels") == []
    assert counts(plant) == (1, 0, 1)


def test_a_rejected_label_comes_back_when_its_event_arrives_still(plant: Plant) -> None:
    plant.drop("labels/a.jsonl", lines({**LABEL, "event_key": "no such event"}, LABEL))
    plant.land()
    before = plant.raw("labels")
    plant.land(NOW + timedelta(days=31))
    assert counts(plant) == (2, 0, 2)
    plant.drop("events/a.jsonl", lines(EVENT))
    plant.land(NOW + timedelta(days=40))
    assert counts(plant) == (2, 1, 1)
    assert plant.raw("labels") == [label for label in before if label["event_key"] == key_of(EVENT)]


def test_a_replay_leaves_labels_without_event_alone_and_takes_those_that_are_right_now(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant.drop("labels/a.jsonl", lines({**LABEL, "event_key": "none"}, {**LABEL, "note": 1}))
    plant.drop("events/a.jsonl", lines(EVENT))
    with monkeypatch.context() as narrow:
        narrow.setattr("ingestion.contract.events.EVENT_TYPES", ("working",))
        plant.land()
    assert counts(plant) == (2, 0, 2)
    assert replay_rejected(plant.settings) == ReplayReport(tried=2, accepted=2)
    assert counts(plant) == (2, 2, 0)
    plant.land(NOW + timedelta(days=30))
    assert counts(plant) == (2, 1, 1)
    assert replay_rejected(plant.settings) == ReplayReport(tried=0, accepted=0)


def finish_build(plant: Plant) -> None:
    """Clear the notes of changes, as a finished build does."""
    with open_warehouse(plant.settings) as connection:
        connection.execute("delete from raw.changed_minutes")


def test_a_build_between_replay_and_landing_leaves_no_label_behind(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Waiting labels are compared only with changed events, and a replay changes events too."""
    exactly_read = {**EVENT, "timestamp": "2026-01-15T10:15:00.0000001Z"}
    plant.drop("labels/a.jsonl", lines(LABEL, {**LABEL, "event_key": key_of(event(2))}))
    with monkeypatch.context() as narrow:
        narrow.setattr("ingestion.contract.events.EVENT_TYPES", ("idle",))
        plant.drop("events/a.jsonl", lines(exactly_read, {**exactly_read, "worker_id": "W3"}))
        plant.land()
    finish_build(plant)
    assert replay_rejected(plant.settings).accepted == 2
    finish_build(plant)
    plant.drop("events/late.jsonl", lines(event(2), event(4)))
    assert plant.land().labels_without_event == 0
    assert {one["event_key"] for one in plant.raw("labelled_keys") if one["event_at"]} == {
        LABEL["event_key"],
        key_of(event(2)),
    }


def naive(drops: list[tuple[int, str, int]], days: int) -> tuple[set[int], set[int]]:
    """The numbers of the accepted and the rejected labels' events, `days` after the start."""
    arrived = {number for day, kind, number in drops if kind == "event" and day <= days}
    landed = {number: day for day, kind, number in sorted(drops, reverse=True) if kind == "label" and day <= days}
    overdue = {number for number, day in landed.items() if number not in arrived and days - day >= 30}
    return set(landed) - overdue, overdue


@settings(max_examples=12, deadline=None)
@given(
    drops=st.lists(
        st.tuples(st.integers(0, 70), st.sampled_from(["event", "label"]), st.integers(0, 4)),
        unique_by=lambda drop: drop[1:],
        max_size=10,
    ),
    order=st.randoms(use_true_random=False),
    stops=st.lists(st.integers(0, 110), min_size=1, max_size=4),
)
def test_which_labels_count_follows_from_what_came_and_when_alone(
    drops: list[tuple[int, str, int]], order: random.Random, stops: list[int]
) -> None:
    """The result depends neither on other batches in between nor on the order of objects of one day."""
    with TemporaryDirectory() as folder:
        plant = Plant(Path(folder))
        for day in sorted({day for day, _, _ in drops} | set(stops)):
            today = [drop for drop in drops if drop[0] == day]
            order.shuffle(today)
            for place, (_, kind, number) in enumerate(today):
                record = event(number) if kind == "event" else {**LABEL, "event_key": key_of(event(number))}
                plant.drop(f"{kind}s/{place}-{number}.jsonl", lines(record))
            plant.land(NOW + timedelta(days=day))
            accepted, rejected = naive(drops, day)
            assert {one["event_key"] for one in plant.raw("labels")} == {key_of(event(n)) for n in accepted}
            assert {json.loads(one["payload"])["event_key"] for one in plant.raw("rejected_records")} == {
                key_of(event(n)) for n in rejected
            }
            labels = [one for one in plant.raw("landed_objects") if one["object_key"].startswith("labels/")]
            assert sum(one["accepted"] for one in labels) == len(accepted)
            assert sum(one["rejected"] for one in labels) == len(rejected)
            assert all(one["records"] == one["accepted"] + one["rejected"] for one in labels)
