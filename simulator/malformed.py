"""Spoils records like broken cameras, old firmware and partial files do. There are two ways for each reason."""

import json
from typing import Any

# For each reason that a changed field can cause, two ways to cause it. The fields replace those of the record.
_FAULTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "bad_timestamp": ({"timestamp": "19.10.2026 08:15"}, {"timestamp": 1792397700}),
    "timestamp_out_of_range": ({"timestamp": "1970-01-01T00:00:12Z"}, {"timestamp": "1999-12-31T23:59:59Z"}),
    "bad_identifier": ({"worker_id": 7}, {"workstation_id": "   "}),
    "unknown_event_type": ({"event_type": "walking"}, {"event_type": "Working"}),
    "confidence_out_of_range": ({"confidence": 1.7}, {"confidence": "high"}),
    "bad_count": ({"count": -3}, {"count": 2.5}),
}


def spoil(line: bytes, reason: str, variant: int) -> bytes:
    """Change the record on this line (without its line end) so that landing rejects it for exactly `reason`."""
    record: dict[str, Any] = json.loads(line)
    first_way = variant % 2 == 0
    match reason:
        case "malformed_json":
            return line[: len(line) // 2] if first_way else line[:-1] + b",}"
        case "not_an_object":
            return b'"heartbeat"' if first_way else b"42"
        case "missing_field":
            field = "workstation_id" if first_way else "confidence"
            return _dump({key: value for key, value in record.items() if key != field})
        case "timestamp_without_offset":
            return _dump(record | {"timestamp": record["timestamp"][:19]})
        case _:
            return _dump(record | _FAULTS[reason][0 if first_way else 1])


def _dump(record: dict[str, Any]) -> bytes:
    return json.dumps(record, separators=(",", ":")).encode()
