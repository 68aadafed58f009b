"""Turns a request's body into the lines to store and the answer. Pure functions: no network, disk or clock.

Only `ingestion.contract.events` decides whether a record is valid, from the bytes as they were sent (`1` and `1.0`
differ as a count). The bytes are stored unchanged, with unknown fields: landing judges them again and reports drift.
Reading one record takes 13 µs, so no faster reading is needed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

import msgspec

from ingestion.contract.events import FIELDS, Event, Folder, judge_record
from ingestion.intake.answers import (
    Problem,
    accepted_result,
    batch_answer,
    event_answer,
    problem_answer,
    rejected_result,
)
from ingestion.intake.keys import Sender
from ingestion.records.framing import NotJson, parse_json
from ingestion.records.values import BYTE_ORDER_MARK, JSON_WHITE_SPACE

_array_of_slices = msgspec.json.Decoder(list[msgspec.Raw])
_slice = msgspec.json.Decoder(msgspec.Raw)
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_EXACT_BYTES = 64 << 10  # records up to this size are read exactly at once
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
_LETTER = rb"\\u0041"  # of the same length
_NO_FOLDER = Folder()  # the keys of the intake's objects name no site and no camera
_LINE_BREAKS_TO_SPACES = bytes.maketrans(b"\r\n", b"  ")


@dataclass(frozen=True, slots=True)
class Judged:
    """The result of one request: the JSON Lines to store, the accepted and rejected records, status and answer."""

    lines: bytes
    accepted: int
    rejected: int
    status: int
    answer: bytes


Judge = Callable[[bytes, Sender, datetime], Judged]


@dataclass(frozen=True, slots=True)
class Bounds:
    """The most records of a request, and the most bytes of a record, which landing would reject above that."""

    max_records: int
    max_record_bytes: int


class Unreadable(Exception):
    """The whole body is refused; carries the answer."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)  # the only argument, so that the exception can be pickled
        self.problem = problem


def judge_event(body: bytes, sender: Sender, now: datetime, bounds: Bounds) -> Judged:
    """Judge a body that is one record."""
    record = body.removeprefix(BYTE_ORDER_MARK).strip(JSON_WHITE_SPACE)
    verdict = _judge(record, sender, now, bounds)
    if isinstance(verdict, Problem):
        return Judged(b"", 0, 1, verdict.status, problem_answer(verdict))
    return Judged(_as_line(record), 1, 0, 201, event_answer(verdict))


def judge_batch(body: bytes, sender: Sender, now: datetime, bounds: Bounds) -> Judged:
    """Judge a body that is an array of records. Valid records are kept, and each gets a result.

    The status is 201 if all were accepted and 207 if some were. If none was, it is 403 if all lack only a right of the
    API key, otherwise 422.

    Raises:
        Unreadable: the body is no JSON array, or has too many records.
    """
    records = _slices_of(body, bounds.max_records)
    kept: list[bytes] = []
    results: list[bytes] = []
    statuses: set[int] = set()
    for index, record in enumerate(records):
        verdict = _judge(record, sender, now, bounds)
        if isinstance(verdict, Problem):
            results.append(rejected_result(index, verdict))
            statuses.add(verdict.status)
        else:
            results.append(accepted_result(index, event_answer(verdict)))
            kept.append(_as_line(record))
    if not statuses:
        status = 201
    elif kept:
        status = 207
    else:
        status = 403 if statuses == {403} else 422
    return Judged(b"".join(kept), len(kept), len(records) - len(kept), status, batch_answer(len(kept), results))


def _judge(record: bytes, sender: Sender, now: datetime, bounds: Bounds) -> Event | Problem:
    if len(record) > bounds.max_record_bytes:
        detail = f"The record has {len(record)} bytes; landing reads at most {bounds.max_record_bytes}."
        return Problem(422, "malformed_json", detail)
    reduced = _reduced(record) if len(record) > _EXACT_BYTES else None
    if reduced is not None:
        verdict, _ = judge_record(reduced, _NO_FOLDER, now)
        if not isinstance(verdict, Event):
            return Problem(422, verdict.reason, verdict.detail)
    verdict, _ = judge_record(record, _NO_FOLDER, now)
    if isinstance(verdict, Event):
        return sender.objection_to(verdict) or verdict
    return Problem(422, verdict.reason, verdict.detail)


def _reduced(record: bytes) -> bytes | None:
    """A record with only the contract's fields, without the contents of arrays; None if the fast parser cannot read it.

    A fault in these fields is a fault of the record, and is found before the costly exact parsing.
    """
    try:
        fields = _fields.decode(record)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    known = ((name.encode(), bytes(value)) for name, value in fields.items() if name in FIELDS)
    return b"{%s}" % b",".join(b'"%s":%s' % (name, b"[]" if value[:1] in b"[{" else value) for name, value in known)


def _slices_of(body: bytes, max_records: int) -> list[bytes]:
    """The bytes of each element of the array. The elements are not parsed, which would cost far more."""
    value = body.removeprefix(BYTE_ORDER_MARK).strip(JSON_WHITE_SPACE)
    decoder = _array_of_slices if value[:1] == b"[" else _slice
    cleaned = value
    try:
        value.decode("utf-8")
        try:
            elements = decoder.decode(value)
        except (msgspec.DecodeError, RecursionError):  # only the exact parser reads a lone surrogate
            cleaned = _SURROGATE.sub(_LETTER, value)
            elements = decoder.decode(cleaned)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unreadable(
            Problem(400, "malformed_json", f"The body is not a JSON array: {_why(value, error)}.")
        ) from None
    if not isinstance(elements, list):
        raise Unreadable(Problem(400, "not_an_array", "The body is JSON, but not an array of records."))
    _refuse_above(max_records, len(elements))
    return [bytes(one) for one in elements] if cleaned is value else list(_cut(value, elements))


def _why(value: bytes, error: Exception) -> str:
    """The exact parser's sentence about a value that is no JSON; for a large value, the fast parser's."""
    if len(value) <= _EXACT_BYTES or isinstance(error, UnicodeDecodeError):
        try:
            parse_json(value)
        except NotJson as exact:
            return str(exact)
    return str(error)


def _cut(value: bytes, elements: list[msgspec.Raw]) -> Iterator[bytes]:
    """The slices of an array whose elements have the lengths of `elements`."""
    start = 1
    for element in elements:
        while value[start] in b" \t\r\n,":
            start += 1
        yield value[start : (start := start + len(bytes(element)))]


def _refuse_above(max_records: int, records: int) -> None:
    if records > max_records:
        detail = f"The batch has {records} records; at most {max_records} are taken at once."
        raise Unreadable(Problem(413, "too_many_records", detail))


def _as_line(record: bytes) -> bytes:
    """An accepted record as one JSON line: in JSON, a line break can only be white space between tokens."""
    return record.translate(_LINE_BREAKS_TO_SPACES) + b"\n"
