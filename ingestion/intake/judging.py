"""From a request's body to the lines to keep and the answer to give. Pure: no network, disk or clock.

Whether a record is right is decided by `ingestion.contract.events` alone, on the record's bytes as they were sent
(`1` and `1.0` differ as a count). Those bytes are kept as they are, fields that nobody knows
included: landing judges them again and shows what drifts. Reading one record takes 13 µs, so the exact reading needs
no faster way beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import msgspec

from ingestion.contract.events import Event, Folder, judge_record
from ingestion.intake.answers import (
    Problem,
    accepted_result,
    batch_answer,
    event_answer,
    problem_answer,
    rejected_result,
)
from ingestion.intake.keys import Sender
from ingestion.records.framing import BYTE_ORDER_MARK, JSON_WHITE_SPACE, NotJson, parse_json, split_records

_array_of_slices = msgspec.json.Decoder(list[msgspec.Raw])
_NO_FOLDER = Folder()  # the objects' keys name no site and no camera
_LINE_BREAKS_TO_SPACES = bytes.maketrans(b"\r\n", b"  ")


@dataclass(frozen=True, slots=True)
class Judged:
    """One request's outcome: JSON Lines to keep, how many records were (not) taken, status and JSON to answer."""

    lines: bytes
    accepted: int
    rejected: int
    status: int
    answer: bytes


Judge = Callable[[bytes, Sender, datetime], Judged]


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many records of how many bytes may come at once; a larger record landing would refuse."""

    max_records: int
    max_record_bytes: int


class Unreadable(Exception):
    """The body as a whole cannot be taken; carries what to answer."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


def judge_event(body: bytes, sender: Sender, now: datetime, bounds: Bounds) -> Judged:
    """The body is one record."""
    record = body.removeprefix(BYTE_ORDER_MARK).strip(JSON_WHITE_SPACE)
    verdict = _judge(record, sender, now, bounds)
    if isinstance(verdict, Problem):
        return Judged(b"", 0, 1, verdict.status, problem_answer(verdict))
    return Judged(_as_line(record), 1, 0, 201, event_answer(verdict))


def judge_batch(body: bytes, sender: Sender, now: datetime, bounds: Bounds) -> Judged:
    """The body is an array of records: good ones are kept, each is answered at its index.

    The status is 201 when all were taken, 207 when some were, else 422, or 403 where the key alone stood in the way.

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
    verdict, _ = judge_record(record, _NO_FOLDER, now)
    if isinstance(verdict, Event):
        return sender.objection_to(verdict) or verdict
    return Problem(422, verdict.reason, verdict.detail)


def _slices_of(body: bytes, max_records: int) -> list[bytes]:
    """Each element of the array as it was sent."""
    value = body.removeprefix(BYTE_ORDER_MARK).strip(JSON_WHITE_SPACE)
    if value[:1] == b"[":
        try:
            value.decode("utf-8")
            elements = _array_of_slices.decode(value)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            pass  # or an array that only the exact reading takes, such as one with a lone surrogate in a text
        else:
            records = len(elements)
            if records > max_records:
                del elements  # the error's traceback would keep millions of them for a while
            _refuse_above(max_records, records)
            return [bytes(element) for element in elements]
    try:
        parsed = parse_json(value)
    except NotJson as error:
        raise Unreadable(Problem(400, "malformed_json", f"The body is not a JSON array: {error}.")) from error
    if not isinstance(parsed, list):
        raise Unreadable(Problem(400, "not_an_array", "The body is JSON, but not an array of records."))
    _refuse_above(max_records, len(parsed))
    return split_records(value).raws


def _refuse_above(max_records: int, records: int) -> None:
    if records > max_records:
        detail = f"The batch has {records} records; at most {max_records} are taken at once."
        raise Unreadable(Problem(413, "too_many_records", detail))


def _as_line(record: bytes) -> bytes:
    """An accepted record as one JSON line: in JSON, a line break can only be white space between tokens."""
    return record.translate(_LINE_BREAKS_TO_SPACES) + b"\n"
