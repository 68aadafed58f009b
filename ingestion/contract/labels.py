"""Judges a label record (contract §7): one record's bytes in, a `Label` or a `Refusal` out.

Does not check whether the label's event is known: it may arrive later (`label_settling.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from ingestion.contract.events import Refusal, judge, read_event_type, read_identifier, read_timestamp, require

# The reviewer saw the scene and cannot say. It takes back this reviewer's earlier answer and counts in no share.
CANNOT_TELL = "cannot_tell"
# An audit of an instant at a station may find a state, or nobody there.
NOBODY = "nobody"

REQUIRED_FIELDS = ("event_key", "true_event_type", "reviewer", "reviewed_at")
FIELDS = frozenset(REQUIRED_FIELDS)

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
    """What one reviewer says truly happened, an event type or `CANNOT_TELL`. `reviewer` is personal data."""

    event_key: str
    true_event_type: str
    reviewer: str
    reviewed_at: datetime  # UTC


def judge_label(raw: bytes, landed_at: datetime) -> tuple[Label | Refusal, frozenset[str]]:
    """The verdict on one label record, and the names of its unexpected fields."""
    return judge(raw, FIELDS, lambda record: _read_label(record, landed_at))


def _read_label(record: dict[str, object], landed_at: datetime) -> Label:
    require(record, REQUIRED_FIELDS)
    reviewed_at = read_timestamp(record["reviewed_at"], landed_at, "reviewed_at")
    return Label(
        event_key=read_identifier(record, "event_key"),
        reviewer=read_identifier(record, "reviewer"),
        true_event_type=_read_answer(record["true_event_type"]),
        reviewed_at=reviewed_at,
    )


def _read_answer(value: object) -> str:
    return CANNOT_TELL if value == CANNOT_TELL else read_event_type(value, "true_event_type")
