"""Ids that look like registered ones."""

from __future__ import annotations

import pytest

from quality.checks.look_alikes import folded, look_alikes

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
