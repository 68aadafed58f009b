"""Judges an event record (contract §2): one record's bytes in, an `Event` or a `Refusal` out.

This is the exact reading, in plain Python. `ingestion/reading` has a fast path for plain records and uses this module
for all others. Nothing here touches disk, network or clock.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TypeVar
from urllib.parse import unquote_to_bytes

from ingestion.contract.identifiers import MAX_IDENTIFIER_LENGTH, BadIdentifier, identifier, identifier_or_none, visible
from ingestion.contract.timestamps import EXAMPLE, BadTimestamp, NoOffset, instant
from ingestion.contract.whole_numbers import whole_number, why_not_whole
from ingestion.records.framing import NotJson, NumberToken, parse_json

STATES = ("working", "idle", "absent")
PRODUCT_COUNT = "product_count"
EVENT_TYPES = (*STATES, PRODUCT_COUNT)
REQUIRED_FIELDS = ("timestamp", "workstation_id", "event_type", "confidence")
OPTIONAL_FIELDS = (
    "worker_id", "count", "count_total", "event_id", "site_id", "camera_id", "model_name", "model_version"
)  # fmt: skip
# The field with the contract's version; a record without it follows version 1.
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

MAX_COUNT = 1_000_000
MAX_COUNT_TOTAL = 10**15
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST_AFTER_LANDING = timedelta(hours=24)

DEFAULT_SITE = "default"
UNKNOWN = "unknown"

# The folder name that Hive-style writers use for a missing value.
_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"


@dataclass(frozen=True, slots=True)
class Folder:
    """The values in the Hive-style folders of an object's key, used if a record has no value of its own.

    Bytes that are not UTF-8 appear as lone surrogates, which no identifier contains.
    """

    site_id: str | None = None
    camera_id: str | None = None
    source: str | None = None  # whose mapping reads the object


@dataclass(frozen=True, slots=True)
class Event:
    """One accepted record, every field filled in.

    An event without a worker is a station event. `count_total` is a counter's reading, whose `count` is 0: its units
    depend on earlier readings. `event_id` and `count_total` have a meaning only for `product_count` and are omitted for
    other types.
    """

    timestamp: datetime  # UTC
    site_id: str
    camera_id: str
    worker_id: str | None
    workstation_id: str
    event_type: str
    confidence: float
    count: int
    model_name: str
    model_version: str
    event_id: str | None = None
    count_total: int | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a record is rejected: one of `REASONS`, and a message with the value."""

    reason: str
    detail: str


Accepted = TypeVar("Accepted")


class Refused(Exception):
    """Raised by the rules with the first reason that applies."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.refusal = Refusal(reason, detail)


def folder_of(key: str) -> Folder:
    """The site, camera and source in a key's folders, percent-decoded.

    The last folder of a name counts; empty values are ignored.
    """
    return _named_by(key.rpartition("/")[0])


@lru_cache(maxsize=4096)  # cached because many objects lie in one folder
def _named_by(folder: str) -> Folder:
    found: dict[str, str] = {}
    for segment in folder.split("/"):
        name, separator, written = segment.partition("=")
        if separator and name.lower() in ("site_id", "camera_id", "source"):
            value = unquote_to_bytes(written.encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")
            if value.strip() and value.strip() != _NO_VALUE:
                found[name.lower()] = value
    return Folder(**found)


def judge_record(
    raw: bytes, folder: Folder, landed_at: datetime, nameless_sites: frozenset[str] = frozenset()
) -> tuple[Event | Refusal, frozenset[str]]:
    """The verdict on one event record, and the names of its unexpected fields.

    The names are returned for rejected records too if they are JSON objects. The worker id is removed from a record of
    one of `nameless_sites` before it is judged.
    """

    def read(record: dict[str, object]) -> Event:
        if nameless_sites and site_of(record, folder) in nameless_sites:
            record = {**record, "worker_id": None}
        return VERSIONS[_version_of(record)](record, folder, landed_at)

    return judge(raw, FIELDS, read)


def site_of(record: dict[str, object], folder: Folder) -> str | None:
    """The record's site; None if it is not a valid identifier."""
    value = record.get("site_id")
    value = folder.site_id or DEFAULT_SITE if value is None else value
    return identifier_or_none(value) if isinstance(value, str) and not isinstance(value, NumberToken) else None


def judge(
    raw: bytes, fields: frozenset[str], read: Callable[[dict[str, object]], Accepted]
) -> tuple[Accepted | Refusal, frozenset[str]]:
    """Apply the rules for every record, then `read`, which returns the accepted value or raises `Refused`."""
    try:
        record = parse_json(raw)
    except NotJson as error:
        return Refusal("malformed_json", _sentence(error)), frozenset()
    if not isinstance(record, dict):
        return Refusal("not_an_object", f"The record is {_show(record)}, not a JSON object."), frozenset()
    unexpected = frozenset(visible(name) for name in record.keys() - fields)
    try:
        return read(record), unexpected
    except Refused as refused:
        return refused.refusal, unexpected


def require(record: dict[str, object], names: Sequence[str]) -> None:
    """Raise `Refused` if a field is missing; JSON null counts as missing."""
    missing = [name for name in names if record.get(name) is None]
    if missing:
        raise Refused("missing_field", f"The record has no {', no '.join(missing)}.")


def _read_event(record: dict[str, object], folder: Folder, landed_at: datetime) -> Event:
    """Apply the rules in the contract's order of reasons."""
    require(record, REQUIRED_FIELDS)
    timestamp = read_timestamp(record["timestamp"], landed_at)
    has_worker = record.get("worker_id") is not None
    worker_id = read_identifier(record, "worker_id") if has_worker else None
    workstation_id = read_identifier(record, "workstation_id")
    site_id = read_identifier(record, "site_id", folder.site_id or DEFAULT_SITE)
    camera_id = read_identifier(record, "camera_id", folder.camera_id or UNKNOWN)
    model_name = read_identifier(record, "model_name", UNKNOWN)
    model_version = read_identifier(record, "model_version", UNKNOWN)
    event_type = read_event_type(record["event_type"])
    confidence = _read_confidence(record["confidence"])
    count, count_total = _read_counts(record)
    is_count = event_type == PRODUCT_COUNT
    return Event(
        timestamp=timestamp,
        site_id=site_id,
        camera_id=camera_id,
        worker_id=worker_id,
        workstation_id=workstation_id,
        event_type=event_type,
        confidence=confidence,
        count=0 if is_count and count_total is not None else count,
        model_name=model_name,
        model_version=model_version,
        event_id=_read_event_id(record.get("event_id")) if is_count else None,
        count_total=count_total if is_count else None,
    )


# The reader of each published version. A change of a required meaning adds an entry; earlier entries stay for good.
VERSIONS: dict[int, Callable[[dict[str, object], Folder, datetime], Event]] = {1: _read_event}


def _version_of(record: dict[str, object]) -> int:
    """The version that a record follows. Refuses unknown versions, which have no reader."""
    value = record.get(VERSION_FIELD)
    if value is None:
        return min(VERSIONS)
    version = whole_number(value, max(VERSIONS)) if isinstance(value, NumberToken) else None
    if version is None or version not in VERSIONS:
        raise Refused(
            "missing_field",
            f"{VERSION_FIELD} is {_show(value)}; this release reads {', '.join(map(str, VERSIONS))} and does not know "
            "what another one requires. The record can be tried again after an upgrade.",
        )
    return version


def read_timestamp(value: object, landed_at: datetime, name: str = "timestamp") -> datetime:
    """ISO 8601 with an offset, as UTC; digits finer than microseconds are cut. `name` is the field's."""
    if not isinstance(value, str) or isinstance(value, NumberToken):
        raise Refused("bad_timestamp", f'{name} is {_show(value)}, no text; expected a text like "{EXAMPLE}".')
    try:
        found = instant(value)
    except BadTimestamp as error:
        raise Refused(
            "bad_timestamp", f"{name} is {_show(value)}, and {visible(str(error))}. A right one is {EXAMPLE}."
        ) from error
    except NoOffset as error:
        raise Refused(
            "timestamp_without_offset",
            f"{name} is {_show(value)}, which has no Z and no offset; a right one is {EXAMPLE}.",
        ) from error
    if found is None or not EARLIEST <= found <= landed_at + LATEST_AFTER_LANDING:
        raise Refused(
            "timestamp_out_of_range",
            f"{name} is {_show(value)}; accepted: times from 2000-01-01 to 24 hours after the landing "
            f"({landed_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}).",
        )
    return found


def read_identifier(record: dict[str, object], name: str, default: str | None = None) -> str:
    """An identifier in normalised form (`identifiers.py`); the default if the record has none."""
    value = record.get(name)
    by_default = value is None
    if by_default:
        value = default
    expected = f"{name} is {_show(value)}; expected a text of 1 to {MAX_IDENTIFIER_LENGTH} characters"
    if not isinstance(value, str) or isinstance(value, NumberToken):
        quotes = " in double quotes" if isinstance(value, NumberToken) else ""
        raise Refused("bad_identifier", f"{expected}{quotes}.")
    try:
        return identifier(value)
    except BadIdentifier as error:
        if by_default and visible(value) != value:
            raise Refused("bad_identifier", f"{expected} in UTF-8; a folder of the object's key gives it.") from error
        raise Refused("bad_identifier", f"{expected}{error}.") from error


def read_event_type(value: object, name: str = "event_type") -> str:
    """One of `EVENT_TYPES`, exactly. `name` is the field's."""
    if value not in EVENT_TYPES or isinstance(value, NumberToken):
        raise Refused("unknown_event_type", f"{name} is {_show(value)}; known: {', '.join(EVENT_TYPES)}.")
    return str(value)


def _read_confidence(value: object) -> float:
    confidence = float(value) if isinstance(value, NumberToken) else -1.0
    if not 0 <= confidence <= 1:
        raise Refused("confidence_out_of_range", f"confidence is {_show(value)}; expected a number from 0 to 1.")
    return confidence + 0.0  # -0.0 and 0.0 are one number and must be stored as one value


def _read_counts(record: dict[str, object]) -> tuple[int, int | None]:
    """The units since the camera's last report (1 if the record gives none), and a counter's reading."""
    count, total = record.get("count"), record.get("count_total")
    if count is not None and total is not None:
        raise Refused(
            "bad_count",
            f"count is {_show(count)} and count_total is {_show(total)}; expected one of them: what was made since "
            "the last report, or the reading of a counter that only grows.",
        )
    units = 1 if count is None else _read_whole(count, "count", MAX_COUNT)
    return units, None if total is None else _read_whole(total, "count_total", MAX_COUNT_TOTAL)


def _read_whole(value: object, name: str, highest: int) -> int:
    number = whole_number(value, highest) if isinstance(value, NumberToken) else None
    if number is None:
        wrong = why_not_whole(value) if isinstance(value, NumberToken) else "which is no number"
        if isinstance(value, str) and not isinstance(value, NumberToken):
            wrong = "a text"
        raise Refused("bad_count", f"{name} is {_show(value)}, {wrong}; expected a whole number from 0 to {highest}.")
    return number


def _read_event_id(value: object) -> str | None:
    """A text, or the digits of a whole number; anything else counts as missing."""
    if isinstance(value, NumberToken):
        number = whole_number(value, 10**MAX_IDENTIFIER_LENGTH - 1)
        return None if number is None else str(number)
    return identifier_or_none(value) if isinstance(value, str) else None


def _show(value: object) -> str:
    """A value as it appears in the camera's output, cut to a readable length."""
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
    return visible(f"The record is no JSON: {str(error).rstrip('.')}.")
