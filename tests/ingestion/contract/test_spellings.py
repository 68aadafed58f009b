"""How values may be written (contract §2), and that a refusal says which part of a value is wrong."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from ingestion.contract.events import Event, Folder, Refusal, folder_of, judge_record
from tests.plant import EVENT, NOW


def judged(folder: Folder | None = None, **fields: Any) -> Event | Refusal:
    verdict, _ = judge_record(json.dumps({**EVENT, **fields}).encode(), folder or Folder(), NOW)
    return verdict


def refusal(**fields: Any) -> tuple[str, str]:
    verdict = judged(**fields)
    assert isinstance(verdict, Refusal), verdict
    return verdict.reason, verdict.detail


def accepted(**fields: Any) -> Event:
    verdict = judged(**fields)
    assert isinstance(verdict, Event), verdict
    return verdict


def raw(text: str) -> Event | Refusal:
    """A record whose `count` is written as in the text."""
    verdict, _ = judge_record(json.dumps({**EVENT, "count": "@"}).replace('"@"', text).encode(), Folder(), NOW)
    return verdict


@pytest.mark.parametrize(
    ("written", "form"),
    [
        (" W1\u200b", "W1"),
        ("e\u0301", "é"),
        ("a\u00a0b", "a b"),
        (" " + "x" * 64, "x" * 64),
        ("W1\t", "W1"),
        ("\u202egnp.exe", "gnp.exe"),
        ("\ufeffW1", "W1"),
        ("Pru\u0308fer 1", "Prüfer 1"),
        ("\uff37" + "1", "\uff37" + "1"),
        ("\u2009x\u3000y\u2003", "x y"),
        ("e\u0301" * 64, "é" * 64),
    ],
)
def test_an_identifier_has_one_form_however_it_was_typed(written: str, form: str) -> None:
    for name in ("worker_id", "workstation_id", "site_id", "camera_id", "model_name", "model_version"):
        assert getattr(accepted(**{name: written}), name) == form


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("a\tb", "without the control character U+0009 in it"),
        ("a\x00b", "without the control character U+0000 in it"),
        ("a\u200bb", "without the invisible character U+200B in it"),
        ("a\u2028b", "without the line separator U+2028 in it"),
        ("\ud83d", "without half of a character, U+D83D in it"),
        ("\u200b", "that people can see, and this one has none"),
        ("\u00a0", "that people can see, and this one has none"),
        ("", "that people can see, and this one has none"),
        ("x" * 65, "characters, and this one has 65"),
        (7, "in double quotes"),
    ],
)
def test_a_bad_identifier_is_refused_by_what_is_wrong_with_it(written: object, words: str) -> None:
    reason, detail = refusal(worker_id=written)
    assert reason == "bad_identifier"
    assert detail.startswith("worker_id is ")
    assert words in detail


@pytest.mark.parametrize(
    ("key", "site", "camera"),
    [
        ("events/SITE_ID=Werk%20Nord+1/a.jsonl", "Werk Nord+1", "unknown"),
        ("events/site_id=A/site_id=%20/a.jsonl", "A", "unknown"),
        ("events/site_id=__HIVE_DEFAULT_PARTITION__/Camera_Id=%C3%BC/a.jsonl", "default", "ü"),
        ("events/camera_id=c%zz/a.jsonl", "default", "c%zz"),
    ],
)
def test_a_folder_gives_its_value_decoded(key: str, site: str, camera: str) -> None:
    verdict = judged(folder_of(key))
    assert isinstance(verdict, Event)
    assert (verdict.site_id, verdict.camera_id) == (site, camera)


def test_a_folder_that_is_not_utf_8_is_a_bad_identifier() -> None:
    verdict = judged(folder_of("events/site_id=%FF/a.jsonl"))
    assert isinstance(verdict, Refusal)
    assert verdict.reason == "bad_identifier"
    assert "UTF-8" in verdict.detail


@pytest.mark.parametrize("text", ["5", "5.0", "5e0", "50e-1", "0.5e1", "5.000", "500E-2"])
def test_a_count_is_whole_however_it_is_written(text: str) -> None:
    verdict = raw(text)
    assert isinstance(verdict, Event)
    assert verdict.count == 5


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("5.5", "which is not whole"),
        ('"5"', "a text"),
        ("-1", "which is below 0"),
        ("1e7", "which is too large"),
        ("1e-999999999999999999999", "which is not whole"),
        ("1e999999999999999999999", "which is too large"),
        ("true", "which is no number"),
    ],
)
def test_a_count_that_is_not_whole_is_refused_by_what_is_wrong_with_it(text: str, words: str) -> None:
    verdict = raw(text)
    assert isinstance(verdict, Refusal)
    assert verdict.reason == "bad_count"
    assert words in verdict.detail


def test_a_reading_replaces_a_count() -> None:
    reading = accepted(event_type="product_count", count_total=1e15)
    assert (reading.count, reading.count_total) == (0, 10**15)
    assert refusal(event_type="product_count", count_total=10**15 + 1)[0] == "bad_count"
    assert refusal(event_type="product_count", count_total=-1)[0] == "bad_count"


def test_a_reading_beside_a_count_is_refused_whatever_the_type() -> None:
    for kind in ("product_count", "working"):
        assert refusal(event_type=kind, count=1, count_total=5)[0] == "bad_count"
    state = accepted(event_type="working", count_total=5)
    assert (state.count, state.count_total) == (1, None)
    assert refusal(event_type="working", count_total=5.5)[0] == "bad_count"


@pytest.mark.parametrize(
    ("value", "own"),
    [
        ("p1", "p1"),
        (17, "17"),
        (17.0, "17"),
        (" p1 ", "p1"),
        (1.5, None),
        (True, None),
        ([], None),
        ("", None),
        ("x" * 65, None),
    ],
)
def test_an_event_id_is_a_text_or_a_whole_number_and_else_none(value: object, own: str | None) -> None:
    assert accepted(event_type="product_count", event_id=value).event_id == own
    assert accepted(event_type="working", event_id=value).event_id is None


def test_a_record_without_a_worker_is_the_stations_own() -> None:
    assert accepted(worker_id=None).worker_id is None
    assert refusal(worker_id="")[0] == "bad_identifier"


def test_workers_of_a_site_without_people_are_taken_off_before_anything_is_judged() -> None:
    def of(site: str, worker: object) -> Event | Refusal:
        record = json.dumps({**EVENT, "site_id": site, "worker_id": worker}).encode()
        return judge_record(record, Folder(), NOW, frozenset({"A"}))[0]

    for worker in ("W1", "", 7, ["W1"]):
        verdict = of("A\u200b", worker)
        assert isinstance(verdict, Event)
        assert verdict.worker_id is None
    assert isinstance(of("B", 7), Refusal)


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("2026-01-14t10:00z", datetime(2026, 1, 14, 10, tzinfo=UTC)),
        ("2026-01-14 10:00+0530", datetime(2026, 1, 14, 4, 30, tzinfo=UTC)),
        ("2026-01-14T10:00-05", datetime(2026, 1, 14, 15, tzinfo=UTC)),
        ("2026-01-14T10:00:00.123456789Z", datetime(2026, 1, 14, 10, 0, 0, 123456, tzinfo=UTC)),
        ("2026-01-14T10:00:00-00:00", datetime(2026, 1, 14, 10, tzinfo=UTC)),
    ],
)
def test_a_timestamp_may_be_written_so(written: str, instant: datetime) -> None:
    assert accepted(timestamp=written).timestamp == instant


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("2026-01-14T10:00:60Z", "its second is 60"),
        ("2026-01-14T24:00:00Z", "its hour is 24"),
        ("2026-01-14T10:60:00Z", "its minute is 60"),
        ("2026-01-14T10:00:00,5Z", "a comma stands before the fraction of the second"),
        ("2026-01-14T10:00:00 +01:00", "a blank stands before the offset"),
        (" 2026-01-14T10:00:00Z", "a blank stands before it"),
        ("2026-01-14T10:00:00Z ", "a blank stands behind it"),
        ("2026-01-14", "it has no time of day"),
        ("2026-01-14T9:00:00Z", "its hour or minute has one digit"),
        ("2026-1-14T10:00:00Z", "its date is written 2026-1-14"),
        ("14.01.2026 10:00", "it does not begin with a date"),
        ("2026-02-30T10:00:00Z", "no calendar has the date 2026-02-30"),
        ("2026-01-14_10:00:00Z", '"_" stands between date and time'),
        ("2026-01-14T10:00+053", 'its offset is written "+053"'),
        ("2026-01-14T10:00:00UTC", '"UTC" stands behind the time'),
        ("2026-01-14T10:00:00+24:00", "its offset is more than 23:59"),
        ("2026-01-14T10:00:0Z", "its seconds have not two digits"),
        ("2026-01-14T10:00:00.Z", "its fraction of a second"),
        (1768471200, "no text"),
    ],
)
def test_a_bad_timestamp_is_refused_by_the_part_that_is_wrong(written: object, words: str) -> None:
    reason, detail = refusal(timestamp=written)
    assert reason == "bad_timestamp"
    assert words in detail


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"a": 1', "it ends too early"),
        ("nothing", "at character 1 a value should begin"),
        ('{"a" 1}', "a colon should stand"),
        ('{"a": 1 "b": 2}', "a comma or the closing bracket should stand"),
        ("{'a': 1}", "the name of a field in double quotes should stand"),
        ('{"a": "x}', "has no closing quote"),
        ('{"a": NaN}', "NaN is not a JSON number"),
        ('{"a": 1}}', "something stands behind its end, from character 9 on"),
    ],
)
def test_text_that_is_no_json_is_refused_in_plain_words(text: str, words: str) -> None:
    verdict, _ = judge_record(text.encode(), Folder(), NOW)
    assert isinstance(verdict, Refusal)
    assert verdict.reason == "malformed_json"
    assert words in verdict.detail
    assert "line 1 column" not in verdict.detail
