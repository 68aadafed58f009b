"""Ids that look like registered ones."""

from __future__ import annotations

from datetime import date

import duckdb
import pytest

from quality.checks.look_alikes import folded, look_alike_results, look_alikes

WIDE = "\uff371"


@pytest.mark.parametrize(
    ("seen", "listed"),
    [
        ("w1", "W1"),
        (WIDE, "W1"),
        ("007", "7"),
        ("W 1", "W1"),
        ("W-01", "w-1"),
        ("prüfer 1", "Prüfer 1"),
        ("STRASSE", "straße"),
        ("Prufer 1", "Prüfer 1"),
        ("7.0", "7"),
        ("W12", "W-12"),
        ("W_12", "W-12"),
        ("W\u201312", "W-12"),
        ("line 1/2", "Line1-2"),
        ("\u04101", "A1"),  # a Cyrillic letter
        ("\u03927", "B7"),  # a Greek one
    ],
)
def test_two_spellings_of_one_id_look_alike(seen: str, listed: str) -> None:
    assert look_alikes([seen], [listed]) == {listed: [seen]}


@pytest.mark.parametrize(
    ("one", "other"),
    [("W1", "W10"), ("W10", "W1"), ("100", "1"), ("0", ""), ("W1", "V1"), ("1-2", "12"), ("7.5", "75")],
)
def test_other_ids_do_not(one: str, other: str) -> None:
    assert folded(one) != folded(other)


def test_each_registered_id_has_its_look_alikes() -> None:
    assert look_alikes(["w1", WIDE, "007", "X"], ["W1", "Prüfer 1", "7"]) == {"7": ["007"], "W1": ["w1", WIDE]}


def test_a_shift_or_station_that_a_registry_names_in_another_spelling_is_named() -> None:
    with duckdb.connect() as connection:
        connection.execute(
            """
            create schema raw;
            create table shift_windows as select 'A' as site_id, 'day' as shift_id, date '2026-03-01' as shift_date;
            create table worker_shifts (site_id text, worker_id text, shift_date date, is_registered boolean);
            create table workstation_shifts (site_id text, workstation_id text, shift_date date, is_registered boolean);
            create table raw.workers (site_id text, worker_id text);
            create table raw.workstations as select 'A' as site_id, 'S1' as workstation_id;
            create table raw.shifts (site_id text, shift_id text);
            create table raw.targets as from (values
                ('A', 'S1', 'DAY', null), ('A', 's1', '*', null), ('A', 'S1', 'Day', date '2026-01-01'),
                ('A', 'S1', 'day', null), ('B', 'S1', 'DAY', null)
            ) as rows (site_id, workstation_id, shift_id, valid_to);
            create table raw.booked (site_id text, workstation_id text, shift_id text, shift_date date);
            create table raw.cameras as select 'A' as site_id, '*' as workstation_id, null::date as valid_to;
            create table raw.released (site_id text, workstation_id text);
            """
        )
        (told,) = look_alike_results(connection, date(2026, 3, 1), may_name=True)
    assert (told.cell.site_id, told.status) == ("A", "warn")
    assert told.sentence == (
        "Site A: 2 of 2 ids that are not registered look like registered ones: DAY of day; s1 of S1."
    )
