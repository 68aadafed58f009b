"""What a registry's new rows change, in words that an operator would use."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from ingestion.registry.changes import describe_change

SITE = {"site_id": "A", "name": "Hall", "timezone": "UTC"}
CAMERA = {"site_id": "A", "camera_id": "C1", "workstation_id": "S1", "counts": True, "states": True}
TARGET = {"site_id": "A", "workstation_id": "S1", "shift_id": "day", "units_per_hour": 999_999.5}


@pytest.mark.parametrize(
    ("name", "before", "change", "sentence"),
    [
        ("cameras.csv", CAMERA, {"counts": False}, "C1 S1 counts yes → no"),
        ("sites.csv", SITE, {"people": "none"}, "A people named → none"),
        ("sites.csv", SITE, {"people": "named"}, ""),
        ("targets.csv", TARGET, {"units_per_hour": 999_999.6}, "S1 day 999999.5 → 999999.6 an hour"),
    ],
)
def test_a_change_is_told_in_the_words_of_the_file(
    name: str, before: dict[str, Any], change: dict[str, Any], sentence: str
) -> None:
    assert describe_change(name, [before], [before | change], would=False) == sentence


def test_closures_are_told_by_their_dates() -> None:
    def closure(first: str, last: str) -> dict[str, Any]:
        return {"site_id": "A", "from_date": date.fromisoformat(first), "to_date": date.fromisoformat(last)}

    before, after = closure("2026-08-03", "2026-08-14"), closure("2026-08-10", "2026-08-21")
    moved = "1 of 1 closures gone (2026-08-03 to 2026-08-14), 1 closure added (2026-08-10 to 2026-08-21)"
    assert describe_change("closures.csv", [before], [after], would=False) == moved
    days = [closure(f"2026-05-{day:02}", f"2026-05-{day:02}") for day in range(1, 9)]
    assert describe_change("closures.csv", [], days, would=False) == (
        "8 closures added (2026-05-01; 2026-05-02; 2026-05-03; 2026-05-04; 2026-05-05; 2026-05-06; 2 more)"
    )
