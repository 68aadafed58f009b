from datetime import UTC, datetime, timedelta

import pytest

from ingestion.edge.names import ObjectName, Stream, next_name, parse_name, why_not_an_identifier

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)


def test_the_key_names_site_camera_date_and_sequence() -> None:
    name = next_name(None, None, NOON, "3f9c2a").sealed(120)
    key = "events/site_id=north/camera_id=C1/2026-01-15/20260115T120000Z-3f9c2a-000000000001.jsonl"
    assert name.key(Stream("north", "C1")) == key


@pytest.mark.parametrize(
    "name",
    [
        ObjectName("2026-01-15", "20260115T120000Z-3f9c2a", 42, ".open"),
        ObjectName("2026-01-15", "20260115T120000Z-3f9c2a", 42, ".jsonl", 120),
        ObjectName("2026-01-15", "20260115T120000Z-3f9c2a", 42, ".json.gz"),
    ],
    ids=["open", "sealed", "whole file"],
)
def test_a_name_in_the_spool_is_read_back(name: ObjectName) -> None:
    assert parse_name(name.in_spool) == name


@pytest.mark.parametrize("text", ["sequence", ".x.part", "2026-01-15_x.jsonl", "2026-01-15_20260115T120000Z-3f9c2a-1"])
def test_other_files_are_no_objects(text: str) -> None:
    assert parse_name(text) is None


def test_names_keep_their_order_whatever_the_clock_does() -> None:
    clock = [NOON, NOON + timedelta(days=40), NOON - timedelta(days=400), NOON, NOON + timedelta(days=41)]
    names: list[ObjectName] = []
    for at in clock:
        names.append(next_name(names[-1] if names else None, None, at, "000000"))
    keys = [name.key(Stream("s", "c")) for name in names]
    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys)


def test_a_lost_counter_begins_a_later_epoch_instead_of_guessing_a_number() -> None:
    seen = ObjectName("2026-01-15", "20260115T120000Z-3f9c2a", 42, ".jsonl", 1)
    name = next_name(None, seen, NOON - timedelta(days=2), "000000")
    assert name == ObjectName("2026-01-15", "20260115T120001Z-000000", 1, ".open")
    assert name > seen


def test_a_counter_that_is_behind_the_spool_is_corrected() -> None:
    counted = ObjectName("2026-01-15", "20260115T120000Z-3f9c2a", 7, ".open")
    seen = ObjectName("2026-01-16", "20260115T120000Z-3f9c2a", 9, ".jsonl", 1)
    assert next_name(counted, seen, NOON, "000000").number == 10


@pytest.mark.parametrize(
    "value", ["", "   ", "x" * 65, "a/b", "..\\c", "line\nbreak", "\x00", "\ud800", "\U0001f3ed" * 61]
)
def test_what_cannot_be_a_folder_of_a_key_is_no_identifier(value: str) -> None:
    assert why_not_an_identifier(value)


@pytest.mark.parametrize("value", ["C1", "..", 'Gerät 1 "x"; drop', "x" * 64, "100 %"])
def test_all_else_is_an_identifier(value: str) -> None:
    assert why_not_an_identifier(value) is None
