"""A scenario is a folder: input files under their keys, and the rows that a person computed on paper.

`expected.json` lists the rows of each mart, with the columns that matter. `"complete": true` says that the mart has no
other rows. A ratio is written as on paper, `"25230/28800"`. `settings` and `now` are optional.
"""

import json
import math
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

Row = dict[str, Any]
FOLDER = Path(__file__).parent
DEFAULT_NOW = "2026-03-01T00:00:00Z"
ROW_KEYS = {
    "state_intervals": ("site_id", "worker_id", "started_at", "workstation_id", "state"),
    "observed_intervals": ("site_id", "worker_id", "started_at", "workstation_id"),
    "worker_shifts": ("site_id", "shift_date", "shift_id", "worker_id"),
    "workstation_shifts": ("site_id", "shift_date", "shift_id", "workstation_id"),
    "site_shifts": ("site_id", "shift_date", "shift_id"),
    "audit_queue": ("audit_key",),
    "hourly_output": ("site_id", "workstation_id", "hour", "shift_date", "shift_id"),
    "count_agreement": ("site_id", "shift_date", "shift_id", "workstation_id"),
    "station_releases": ("site_id", "workstation_id"),
    "model_days": ("site_id", "event_date", "camera_id", "model_name", "model_version"),
    "worker_station_shifts": ("site_id", "shift_date", "shift_id", "worker_id", "workstation_id"),
    "camera_days": ("site_id", "event_date", "camera_id"),
    "camera_pairs": ("site_id", "event_date", "workstation_id", "camera_id", "other_camera_id", "kind"),
    "shift_windows": ("site_id", "shift_date", "shift_id"),
    "sites": ("site_id",),
    "landed_objects": ("object_key",),
    "rejected_records": ("object_key", "position", "part"),
}


@dataclass(frozen=True)
class Scenario:
    """The input files by their keys, and the expected result."""

    name: str
    files: dict[str, bytes]
    now: datetime
    marts: dict[str, dict[str, Any]]
    settings: dict[str, Any] = field(default_factory=dict)


def scenario_names() -> list[str]:
    return sorted(path.parent.name for path in FOLDER.glob("*/expected.json"))


def read_scenario(name: str) -> Scenario:
    folder = FOLDER / name
    expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    files = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for prefix in ("events", "registry")
        for path in sorted((folder / prefix).rglob("*"))
        if path.is_file()
    }
    now = datetime.fromisoformat(expected.get("now", DEFAULT_NOW))
    return Scenario(name, files, now, expected["marts"], expected.get("settings", {}))


def differences(mart: str, expected: dict[str, Any], actual: list[Row]) -> list[str]:
    """The differences in the published rows of a mart, one sentence each; empty if there are none."""
    found = []
    for row in expected["rows"]:
        key = {name: row[name] for name in ROW_KEYS[mart] if name in row}
        candidates = [other for other in actual if all(same(other.get(name), value) for name, value in key.items())]
        if len(candidates) != 1:
            found.append(f"{mart}: {len(candidates)} rows have {key}")
            continue
        for name, value in row.items():
            if name not in candidates[0]:
                found.append(f"{mart} has no column {name}")
            elif not same(candidates[0][name], value):
                found.append(f"{mart} {key}: {name} is {shown(candidates[0][name])!r}, on paper it is {value!r}")
    if expected["complete"] and len(actual) != len(expected["rows"]):
        found.append(f"{mart} has {len(actual)} rows, on paper {len(expected['rows'])}: {actual}")
    return found


def same(actual: Any, expected: Any) -> bool:
    """Whether a published value equals the one on paper; doubles may differ in the last digits after a division."""
    if isinstance(actual, float) and isinstance(expected, str):
        expected = float(Fraction(expected))
    if isinstance(actual, float) and isinstance(expected, int | float) and not isinstance(expected, bool):
        return math.isclose(actual, expected, rel_tol=1e-12)
    return type(shown(actual)) is type(expected) and shown(actual) == expected


def shown(value: Any) -> Any:
    """A published value in the form of expected.json."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) else value
