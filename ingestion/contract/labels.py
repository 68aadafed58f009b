"""Judges a label record (contract §7): one record's bytes in, a `Label` or a `Refusal` out.

A record is about an event, or about an instant at a station that the audit queue asks about.

Does not check whether the label's event is known: it may arrive later (`label_settling.py`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from ingestion.contract.events import (
    STATES,
    Refusal,
    Refused,
    judge,
    read_event_type,
    read_identifier,
    read_timestamp,
    require,
)
from ingestion.contract.identifiers import visible

# The reviewer saw the scene and cannot say. It takes back this reviewer's earlier answer and counts in no share.
CANNOT_TELL = "cannot_tell"
# An audit of an instant at a station may find a state, or nobody there.
NOBODY = "nobody"

REQUIRED_FIELDS = ("event_key", "true_event_type", "reviewer", "reviewed_at")
AUDIT_FIELDS = ("audit_key", "true_state", "reviewer", "reviewed_at")
FIELDS = frozenset({*REQUIRED_FIELDS, *AUDIT_FIELDS})
# No event key looks like this, so that one column holds both.
AUDIT_KEY_PREFIX = "audit-"
_AUDIT_KEY = re.compile(f"{AUDIT_KEY_PREFIX}[0-9a-f]{{32}}")

# In the order in which they apply; the last one applies only after the event had time to arrive.
UNKNOWN_EVENT_KEY = "unknown_event_key"
REASONS = (
    "malformed_json",
    "not_an_object",
    "missing_field",
    "bad_timestamp",
    "timestamp_without_offset",
    "timestamp_out_of_range",
    "bad_identifier",
    "unknown_event_type",
    UNKNOWN_EVENT_KEY,
)
# Counted from the label's landing.
TIME_TO_ARRIVE = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Label:
    """What one reviewer says truly happened: an event type, or of an audit a state or `NOBODY`; or `CANNOT_TELL`.

    `event_key` is that of an event or of an audit. `reviewer` is personal data.
    """

    event_key: str
    true_event_type: str
    reviewer: str
    reviewed_at: datetime  # UTC


def judge_label(raw: bytes, landed_at: datetime) -> tuple[Label | Refusal, frozenset[str]]:
    """The verdict on one label record, and the names of its unexpected fields."""
    return judge(raw, FIELDS, lambda record: _read_label(record, landed_at))


def _read_label(record: dict[str, object], landed_at: datetime) -> Label:
    is_audit = record.get("audit_key") is not None
    require(record, AUDIT_FIELDS if is_audit else REQUIRED_FIELDS)
    reviewed_at = read_timestamp(record["reviewed_at"], landed_at, "reviewed_at")
    return Label(
        event_key=_read_audit_key(record) if is_audit else _read_event_key(record),
        reviewer=read_identifier(record, "reviewer"),
        true_event_type=_read_state(record["true_state"]) if is_audit else _read_type(record["true_event_type"]),
        reviewed_at=reviewed_at,
    )


def _read_event_key(record: dict[str, object]) -> str:
    key = read_identifier(record, "event_key")
    if key.startswith(AUDIT_KEY_PREFIX):
        raise Refused("bad_identifier", "event_key is a key of the audit queue; audit_key names it.")
    return key


def _read_audit_key(record: dict[str, object]) -> str:
    key = read_identifier(record, "audit_key")
    if record.get("event_key") is not None or not _AUDIT_KEY.fullmatch(key):
        detail = f'audit_key is "{visible(key)}"; expected a key of the audit queue, and no event_key beside it.'
        raise Refused("bad_identifier", detail)
    return key


def _read_type(value: object) -> str:
    return CANNOT_TELL if value == CANNOT_TELL else read_event_type(value, "true_event_type")


def _read_state(value: object) -> str:
    known = (*STATES, NOBODY, CANNOT_TELL)
    found = next((state for state in known if value == state), None)
    if found is None:
        raise Refused("unknown_event_type", f"true_state is none of {', '.join(known)}.")
    return found
