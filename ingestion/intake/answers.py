"""What the intake answers: the shapes that clients see, and the bytes that are sent. No rule about events is here."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Literal

import msgspec
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from ingestion.contract.event_key import event_key
from ingestion.contract.events import DEFAULT_SITE, EVENT_TYPES, MAX_COUNT, MAX_COUNT_TOTAL, UNKNOWN, Event
from ingestion.contract.identifiers import MAX_IDENTIFIER_LENGTH

EXAMPLE_EVENT: JsonDict = {
    "timestamp": "2026-01-15T10:15:00Z",
    "worker_id": "W1",
    "workstation_id": "S3",
    "event_type": "working",
    "confidence": 0.93,
    "count": 1,
}

_encode = msgspec.json.Encoder().encode
# Fields of an event that the contract got later and that a record may not have, as JSON shows them then.
_LATER_AND_ABSENT = [f',"{field.name}":null'.encode() for field in fields(Event) if field.default is None]


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a request or a record was not taken: HTTP status, a word for programs, a sentence for people."""

    status: int
    reason: str
    detail: str
    retry_after_seconds: int | None = None


def event_answer(event: Event) -> bytes:
    """The JSON of an event as it was understood, every field filled in, with its `event_key` as `id`.

    A field that the contract got later is there where it was sent only: a record without it keeps its answer.
    """
    answer = _encode(event)
    for absent in _LATER_AND_ABSENT:
        answer = answer.replace(absent, b"")
    return b'{"id":"%s",%s' % (event_key(event).encode(), answer[1:])


def problem_answer(problem: Problem) -> bytes:
    """The JSON of a problem."""
    return _encode({"reason": problem.reason, "detail": problem.detail})


def accepted_result(index: int, answer: bytes) -> bytes:
    """The entry of an accepted record in a batch's answer."""
    return b'{"index":%d,"status":201,"event":%s}' % (index, answer)


def rejected_result(index: int, problem: Problem) -> bytes:
    """The entry of a record that was not taken in a batch's answer."""
    return b'{"index":%d,"status":%d,%s' % (index, problem.status, problem_answer(problem)[1:])


def batch_answer(accepted: int, results: list[bytes]) -> bytes:
    """The JSON of a whole batch, its results in the order of the records."""
    return b'{"accepted":%d,"rejected":%d,"results":[%s]}' % (accepted, len(results) - accepted, b",".join(results))


class EventRecord(BaseModel):
    """An event as a camera sends it. This describes; what is judged is the data contract, section 2."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"example": EXAMPLE_EVENT})

    timestamp: datetime = Field(description="ISO 8601 with Z or an offset; 2000 or later, at most 24 hours from now")
    worker_id: str | None = Field(
        None, min_length=1, max_length=MAX_IDENTIFIER_LENGTH, description="none where the station itself is seen"
    )
    workstation_id: str = Field(min_length=1, max_length=MAX_IDENTIFIER_LENGTH)
    event_type: str = Field(json_schema_extra={"enum": list(EVENT_TYPES)})
    confidence: float = Field(ge=0, le=1)
    count: int = Field(1, ge=0, le=MAX_COUNT, description="what was made since the last report, never a running total")
    count_total: int | None = Field(
        None, ge=0, le=MAX_COUNT_TOTAL, description="in place of count: a counter's reading"
    )
    event_id: str | int | None = Field(None, description="tells two products of one instant apart")
    site_id: str = Field(DEFAULT_SITE, min_length=1, max_length=MAX_IDENTIFIER_LENGTH)
    camera_id: str = Field(UNKNOWN, min_length=1, max_length=MAX_IDENTIFIER_LENGTH)
    model_name: str = Field(UNKNOWN, min_length=1, max_length=MAX_IDENTIFIER_LENGTH)
    model_version: str = Field(UNKNOWN, min_length=1, max_length=MAX_IDENTIFIER_LENGTH)


class AcceptedEvent(BaseModel):
    """The event as it was understood, all fields filled in. It is durable in the landing bucket.

    `event_id` and `count_total` are there where they were sent and mean something.
    """

    model_config = ConfigDict(extra="allow")

    id: str = Field(description="the event key: the same for every record of one event, on every machine")
    timestamp: datetime = Field(description="UTC, ISO 8601 with Z")
    site_id: str
    camera_id: str
    worker_id: str | None
    workstation_id: str
    event_type: str
    confidence: float
    count: int
    model_name: str
    model_version: str


class Refusal(BaseModel):
    """Why nothing was taken."""

    reason: str = Field(description="a word for programs, such as bad_count or too_many_waiting")
    detail: str = Field(description="one sentence for people, with the value that is wrong")


class RecordResult(BaseModel):
    """What became of one record of a batch."""

    index: int = Field(description="its place in the array, from 0")
    status: int = Field(description="201 taken; 422 refused by the contract; 403 not for this API key")
    event: AcceptedEvent | None = Field(None, description="where it was taken")
    reason: str | None = Field(None, description="where it was refused")
    detail: str | None = Field(None, description="where it was refused")


class BatchAnswer(BaseModel):
    """What became of every record of a batch, in its order."""

    accepted: int
    rejected: int
    results: list[RecordResult]


class Health(BaseModel):
    """Whether the intake can do its work."""

    status: Literal["ok", "bucket_unavailable"] = Field(description="how the newest write to the bucket ended")
    detail: str | None = Field(description="the bucket's own sentence when the newest write failed")
    waiting_requests: int
    waiting_bytes: int
    accepted_events: int = Field(description="events made durable since the start")
    rejected_records: int = Field(description="records refused since the start")
    written_objects: int = Field(description="objects written since the start")
