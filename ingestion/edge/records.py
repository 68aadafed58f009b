"""Writes a record as one line of JSON Lines. Whether it is a valid event, landing decides."""

from __future__ import annotations

import json

from ingestion.edge.errors import RecordRefusedError


def to_line(record: dict[str, object] | bytes, max_bytes: int) -> bytes:
    """The record's line, with its line end. Bytes stay as they are, even if they are not JSON: landing rejects those
    with a reason that people see.

    Raises:
        RecordRefusedError: the record cannot be one line of at most `max_bytes`.
    """
    if not isinstance(record, dict | bytes):
        raise RecordRefusedError(f"A record is of the type {type(record).__name__}; expected a dict or bytes.")
    if isinstance(record, bytes):
        line = record.removesuffix(b"\n")
    else:
        try:
            # ASCII can carry a lone surrogate as an escape; UTF-8 cannot.
            line = json.dumps(record, separators=(",", ":"), allow_nan=False).encode("ascii")
        except (TypeError, ValueError, RecursionError) as error:
            raise RecordRefusedError(f"A record cannot be written as JSON: {error}.") from error
    if not line.strip(b" \t\r"):
        raise RecordRefusedError("A record is empty; expected one JSON object.")
    if b"\n" in line:
        raise RecordRefusedError("A record has a line break in it; expected one JSON object on one line.")
    if b"\0" in line:
        raise RecordRefusedError("A record has a zero byte in it, which no JSON text has.")
    if len(line) + 1 > max_bytes:
        raise RecordRefusedError(f"A record has {len(line) + 1} bytes; allowed: {max_bytes}.")
    return line + b"\n"
