"""What a registry's new rows change, in words that an operator would use."""

from __future__ import annotations

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
