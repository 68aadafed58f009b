"""The intake's answers: their shapes for clients, and the bytes that are sent. Contains no rule about events."""

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
# Optional fields that the contract gained later, as JSON shows them in an event without them.
_LATER_AND_ABSENT = [f',"{field.name}":null'.encode() for field in fields(Event) if field.default is None]


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a request or record was refused: HTTP status, a word for programs, and a sentence for people."""

    status: int
    reason: str
    detail: str
    retry_after_seconds: int | None = None


def event_answer(event: Event) -> bytes:
    """The JSON of an event as it was read, with every default filled in and its `event_key` as `id`.

    Fields that the contract gained later are in the answer only if the record has them: other answers stay the same.
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
    """The entry of a refused record in a batch's answer."""
    return b'{"index":%d,"status":%d,%s' % (index, problem.status, problem_answer(problem)[1:])


def batch_answer(accepted: int, results: list[bytes]) -> bytes:
    """The JSON of a batch, with the results in the order of the records."""
    return b'{"accepted":%d,"rejected":%d,"results":[%s]}' % (accepted, len(results) - accepted, b",".join(results))


class EventRecord(BaseModel):
    """An event as a camera sends it. Only describes it: the data contract, section 2, decides what is accepted."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"example": EXAMPLE_EVENT})

    timestamp: datetime = Field(description="ISO 8601 with Z or an offset; 2000 or later, at most 24 hours from now")
    worker_id: str | None = Field(
        None, min_length=1, max_length=MAX_IDENTIFIER_LENGTH, description="absent in events about the station itself"
    )
    workstation_id: str = Field(min_length=1, max_length=MAX_IDENTIFIER_LENGTH)
    event_type: str = Field(json_schema_extra={"enum": list(EVENT_TYPES)})
    confidence: float = Field(ge=0, le=1)
    count: int = Field(1, ge=0, le=MAX_COUNT, description="the units made since the last report, never a running total")
    count_total: int | None = Field(None, ge=0, le=MAX_COUNT_TOTAL, description="a counter's reading, instead of count")
    event_id: str | int | None = Field(None, description="tells two products of one instant apart")
    site_id: str = Field(DEFAULT_SITE, min_length=1, max_length=MAX_IDENTIFIER_LENGTH)
    camera_id: str = Field(UNKNOWN, min_length=1, max_length=MAX_IDENTIFIER_LENGTH)
    model_name: str = Field(UNKNOWN, min_length=1, max_length=MAX_IDENTIFIER_LENGTH)
    model_version: str = Field(UNKNOWN, min_length=1, max_length=MAX_IDENTIFIER_LENGTH)


class AcceptedEvent(BaseModel):
    """The event as it was read, with every default filled in. It is durable in the landing bucket.

    `event_id` and `count_total` are in the answer if the record has them and they apply.
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
    """Why the request was refused."""

    reason: str = Field(description="a word for programs, such as bad_count or too_many_waiting")
    detail: str = Field(description="one sentence for people, with the value that is wrong")


class RecordResult(BaseModel):
    """The result for one record of a batch."""

    index: int = Field(description="the record's place in the array, from 0")
    status: int = Field(description="201 accepted; 422 refused by the contract; 403 not allowed for this API key")
    event: AcceptedEvent | None = Field(None, description="for an accepted record")
    reason: str | None = Field(None, description="for a refused record")
    detail: str | None = Field(None, description="for a refused record")


class BatchAnswer(BaseModel):
    """The results of a batch, in the order of its records."""

    accepted: int
    rejected: int
    results: list[RecordResult]


class Health(BaseModel):
    """Whether the intake works."""

    status: Literal["ok", "bucket_unavailable"] = Field(description="the result of the newest write to the bucket")
    detail: str | None = Field(description="why the newest write failed")
    waiting_requests: int
    waiting_bytes: int
    accepted_events: int = Field(description="events made durable since the start")
    rejected_records: int = Field(description="records refused since the start")
    written_objects: int = Field(description="objects written since the start")
