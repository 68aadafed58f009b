"""What an event record may be (contract §2): one record's bytes in, an `Event` or a `Refusal` out.

This is the exact reading, in plain Python; `reading.py` has the fast way for records that are plainly right and
comes here with all others. Nothing here touches disk, network or the clock.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import TypeVar

from ingestion.records.framing import NotJson, NumberToken, parse_json

EVENT_TYPES = ("working", "idle", "absent", "product_count")
REQUIRED_FIELDS = ("timestamp", "worker_id", "workstation_id", "event_type", "confidence")
OPTIONAL_FIELDS = ("count", "site_id", "camera_id", "model_name", "model_version")
# By which version of the contract a record is meant; one that says none is of the first.
VERSION_FIELD = "contract_version"
FIELDS = frozenset((*REQUIRED_FIELDS, *OPTIONAL_FIELDS, VERSION_FIELD))

REASONS = (
    "malformed_json",
    "not_an_object",
    "missing_field",
    "bad_timestamp",
    "timestamp_without_offset",
    "timestamp_out_of_range",
    "bad_identifier",
    "unknown_event_type",
    "confidence_out_of_range",
    "bad_count",
)

MAX_IDENTIFIER_LENGTH = 64  # characters, after trimming
MAX_COUNT = 1_000_000
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST_AFTER_LANDING = timedelta(hours=24)

DEFAULT_SITE = "default"
UNKNOWN = "unknown"

_TIMESTAMP = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[T ]([0-9]{2}):([0-9]{2})"
    r"(?::([0-9]{2})(?:\.([0-9]+))?)?(?:(Z)|([+-])([0-9]{2}):([0-9]{2}))?"
)
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_WHOLE_NUMBER = re.compile(r"-?[0-9]+")


@dataclass(frozen=True, slots=True)
class Folder:
    """What the Hive-style folders of an object's key supply where a record has no value of its own."""

    site_id: str | None = None
    camera_id: str | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """One accepted record, every field filled in."""

    timestamp: datetime  # UTC
    site_id: str
    camera_id: str
    worker_id: str
    workstation_id: str
    event_type: str
    confidence: float
    count: int
    model_name: str
    model_version: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a record is rejected: one of `REASONS`, and a sentence with the value."""

    reason: str
    detail: str


Accepted = TypeVar("Accepted")


class Refused(Exception):
    """Carries the first reason that applies out of the rules; those of events are below."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.refusal = Refusal(reason, detail)


def folder_of(key: str) -> Folder:
    """The site and camera that a key's folders name; the last one counts, an empty one does not."""
    return _named_by(key.rpartition("/")[0])


@lru_cache(maxsize=4096)  # many objects lie in one folder
def _named_by(folder: str) -> Folder:
    found: dict[str, str] = {}
    for segment in folder.split("/"):
        name, separator, value = segment.partition("=")
        if separator and name in ("site_id", "camera_id") and value.strip(" "):
            found[name] = value
    return Folder(**found)


def judge_record(raw: bytes, folder: Folder, landed_at: datetime) -> tuple[Event | Refusal, frozenset[str]]:
    """One event record's verdict, and the names of its fields that the contract does not know.

    The names are given for rejected records too, as long as they are JSON objects.
    """
    return judge(raw, FIELDS, lambda record: VERSIONS[_version_of(record)](record, folder, landed_at))


def judge(
    raw: bytes, fields: frozenset[str], read: Callable[[dict[str, object]], Accepted]
) -> tuple[Accepted | Refusal, frozenset[str]]:
    """The rules that hold for every record, then its own: `read` gives what is accepted or raises `Refused`."""
    try:
        record = parse_json(raw)
    except NotJson as error:
        return Refusal("malformed_json", f"{_sentence(error)}"), frozenset()
    if not isinstance(record, dict):
        return Refusal("not_an_object", f"The record is {_show(record)}, not a JSON object."), frozenset()
    unexpected = frozenset(visible(name) for name in record.keys() - fields)
    try:
        return read(record), unexpected
    except Refused as refused:
        return refused.refusal, unexpected


def require(record: dict[str, object], names: Sequence[str]) -> None:
    """Raises `Refused` where a field is missing; a JSON null is absent."""
    missing = [name for name in names if record.get(name) is None]
    if missing:
        raise Refused("missing_field", f"The record has no {', no '.join(missing)}.")


def _read_event(record: dict[str, object], folder: Folder, landed_at: datetime) -> Event:
    """The rules in the contract's order of reasons."""
    require(record, REQUIRED_FIELDS)
    timestamp = read_timestamp(record["timestamp"], landed_at)
    return Event(
        timestamp=timestamp,
        worker_id=read_identifier(record, "worker_id", None),
        workstation_id=read_identifier(record, "workstation_id", None),
        site_id=read_identifier(record, "site_id", folder.site_id or DEFAULT_SITE),
        camera_id=read_identifier(record, "camera_id", folder.camera_id or UNKNOWN),
        model_name=read_identifier(record, "model_name", UNKNOWN),
        model_version=read_identifier(record, "model_version", UNKNOWN),
        event_type=read_event_type(record["event_type"]),
        confidence=_read_confidence(record["confidence"]),
        count=_read_count(record.get("count")),
    )


# Every published version with its reading. A new required meaning is a new entry here; those before it stay for good.
VERSIONS: dict[int, Callable[[dict[str, object], Folder, datetime], Event]] = {1: _read_event}


def _version_of(record: dict[str, object]) -> int:
    """The version that a record is meant by. What an unknown one requires, nobody here can say: it lacks a reader."""
    value = record.get(VERSION_FIELD)
    if value is None:
        return min(VERSIONS)
    is_whole = isinstance(value, NumberToken) and _WHOLE_NUMBER.fullmatch(value) is not None
    version = int(str(value)) if is_whole and len(str(value)) <= 4 else 0
    if version not in VERSIONS:
        raise Refused(
            "missing_field",
            f"{VERSION_FIELD} is {_show(value)}; this release reads {', '.join(map(str, VERSIONS))} and does not know "
            "what another one requires. The record can be tried again after an upgrade.",
        )
    return version


def read_timestamp(value: object, landed_at: datetime, name: str = "timestamp") -> datetime:
    """ISO 8601 with an offset, as UTC; digits finer than microseconds are cut. `name` is the field's."""
    match = _TIMESTAMP.fullmatch(value) if isinstance(value, str) and not isinstance(value, NumberToken) else None
    if match is None:
        raise Refused("bad_timestamp", f"{name} is {_show(value)}; expected is a text like 2026-01-15T10:15:00+00:00.")
    year, month, day, hour, minute, second, fraction, zulu, sign, offset_hours, offset_minutes = match.groups()
    if int(offset_hours or 0) > 23 or int(offset_minutes or 0) > 59:
        raise Refused("bad_timestamp", f"{name} is {_show(value)}; an offset is at most 23:59.")
    try:
        # Year 0 has the calendar of year 400; it is a date, and far too early.
        date(int(year) or 400, int(month), int(day))
        clock = timedelta(
            hours=_within(hour, 23),
            minutes=_within(minute, 59),
            seconds=_within(second or "0", 59),
            microseconds=int((fraction or "0")[:6].ljust(6, "0")),
        )
    except ValueError as error:
        raise Refused("bad_timestamp", f"{name} is {_show(value)}, which is no date and time that exists.") from error
    if zulu is None and sign is None:
        raise Refused("timestamp_without_offset", f"{name} is {_show(value)}, which has no Z and no offset.")
    offset = timedelta(hours=int(offset_hours or 0), minutes=int(offset_minutes or 0))
    try:
        instant = datetime(int(year), int(month), int(day), tzinfo=UTC) + clock + (offset if sign == "-" else -offset)
    except (ValueError, OverflowError):  # before year 1 or after year 9999
        instant = None
    if instant is None or not EARLIEST <= instant <= landed_at + LATEST_AFTER_LANDING:
        raise Refused(
            "timestamp_out_of_range",
            f"{name} is {_show(value)}; accepted are times from 2000-01-01 to 24 hours after the landing "
            f"({landed_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}).",
        )
    return instant


def _within(digits: str, highest: int) -> int:
    if int(digits) > highest:
        raise ValueError(digits)
    return int(digits)


def read_identifier(record: dict[str, object], name: str, default: str | None = None) -> str:
    """A text of 1 to 64 characters after trimming spaces; where the record has none, the default is read instead."""
    value = record.get(name)
    if value is None:
        value = default
    trimmed = value.strip(" ") if isinstance(value, str) and not isinstance(value, NumberToken) else ""
    if not 1 <= len(trimmed) <= MAX_IDENTIFIER_LENGTH or _LONE_SURROGATE.search(trimmed):
        raise Refused(
            "bad_identifier",
            f"{name} is {_show(value)}; expected is a text of 1 to {MAX_IDENTIFIER_LENGTH} characters.",
        )
    return trimmed


def read_event_type(value: object, name: str = "event_type") -> str:
    """One of `EVENT_TYPES`, exactly. `name` is the field's."""
    if value not in EVENT_TYPES or isinstance(value, NumberToken):
        raise Refused("unknown_event_type", f"{name} is {_show(value)}; known are {', '.join(EVENT_TYPES)}.")
    return str(value)


def _read_confidence(value: object) -> float:
    confidence = float(value) if isinstance(value, NumberToken) else -1.0
    if not 0 <= confidence <= 1:
        raise Refused("confidence_out_of_range", f"confidence is {_show(value)}; expected is a number from 0 to 1.")
    return confidence + 0.0  # -0.0 and 0.0 are one number and must stay one value


def _read_count(value: object) -> int:
    if value is None:
        return 1
    is_whole = isinstance(value, NumberToken) and _WHOLE_NUMBER.fullmatch(value) is not None
    # Ten characters hold every number that is allowed; longer ones need not be converted to be refused.
    count = int(str(value)) if is_whole and len(str(value)) <= 10 else -1
    if not 0 <= count <= MAX_COUNT:
        raise Refused("bad_count", f"count is {_show(value)}; expected is a whole number from 0 to {MAX_COUNT}.")
    return count


def visible(text: str) -> str:
    """The text as it can be stored: lone surrogates become U+FFFD."""
    return _LONE_SURROGATE.sub("\ufffd", text)


def _show(value: object) -> str:
    """A value as a person recognises it in the camera's output, cut to a readable length."""
    match value:
        case NumberToken():
            shown = str(value)
        case None | bool():
            shown = {None: "null", True: "true", False: "false"}[value]
        case dict():
            shown = "an object"
        case list():
            shown = "an array"
        case _:
            shown = f'"{value}"'
    return visible(shown if len(shown) <= 90 else shown[:80] + "…")


def _sentence(error: Exception) -> str:
    text = str(error)
    return visible(text[:1].upper() + text[1:].rstrip(".") + ".")
