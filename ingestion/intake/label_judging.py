"""Turns the body of a label request into an answer to a question of a queue. Pure: no network, disk or clock.

Who answered and when is not in the body: the key says who, and the intake's clock when.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from ingestion.contract.events import EVENT_TYPES, STATES
from ingestion.contract.labels import CANNOT_TELL, NOBODY
from ingestion.intake.answers import Problem
from ingestion.intake.judging import Unreadable
from ingestion.intake.keys import Reviewer
from ingestion.intake.queues import AUDIT, REVIEW
from ingestion.records.framing import NotJson, parse_json

# Of each queue: the field of the key, the field of the answer, and the answers in the order of the keys 1 to 5.
FIELDS = {
    REVIEW: ("event_key", "true_event_type", (*EVENT_TYPES, CANNOT_TELL)),
    AUDIT: ("audit_key", "true_state", (*STATES, NOBODY, CANNOT_TELL)),
}


@dataclass(frozen=True, slots=True)
class Answered:
    """A reviewer's answer: the queue, its key, and what is true."""

    queue: str
    key: str
    answer: str

    def record(self, reviewer: Reviewer, at: datetime) -> dict[str, str]:
        """The label record (contract §7)."""
        key_field, answer_field, _ = FIELDS[self.queue]
        return {
            key_field: self.key,
            answer_field: self.answer,
            "reviewer": reviewer.name,
            "reviewed_at": instant(at),
        }


def instant(at: datetime) -> str:
    """An instant in UTC as the contract spells it."""
    return at.isoformat().replace("+00:00", "Z")


def read_answer(body: bytes) -> Answered:
    """The answer in a body such as `{"event_key": …, "true_event_type": …}`.

    Raises:
        Unreadable: the body is no such object, or has other fields.
    """
    try:
        record = parse_json(body)
    except NotJson as error:
        raise Unreadable(Problem(422, "malformed_json", f"The body is no JSON: {error}.")) from None
    for queue, (key_field, answer_field, answers) in FIELDS.items():
        if isinstance(record, dict) and record.keys() == {key_field, answer_field}:
            key, answer = record[key_field], record[answer_field]
            # A number is a text of its own kind here.
            if type(key) is not str or type(answer) is not str or answer not in answers:
                detail = f"{answer_field} is none of {', '.join(answers)}, or {key_field} is no text."
                raise Unreadable(Problem(422, "unknown_answer", detail))
            return Answered(queue, key, answer)
    shown = " or ".join(f"{key_field} and {answer_field}" for key_field, answer_field, _ in FIELDS.values())
    detail = f"The body is an object with {shown} alone; the API key says who reviews, and the intake when."
    raise Unreadable(Problem(422, "other_fields", detail))


def as_line(record: dict[str, str]) -> bytes:
    """A label record as one JSON line."""
    return json.dumps(record, ensure_ascii=False).encode() + b"\n"
