"""Contract §1 and §2: one object's key and bytes become accepted events and rejected records.

Knows nothing about shifts or marts. Instants are whole microseconds since 1970-01-01T00:00Z.
"""

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

from tests.reference.json_text import NotJson, Number
from tests.reference.objects import Damaged, records_of

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
OBJECT_NAME = re.compile(r".*\.(json|jsonl|ndjson)(\.(gz|gzip|zst|zstd))?", re.DOTALL | re.IGNORECASE)
REQUIRED_FIELDS = ("timestamp", "workstation_id", "event_type", "confidence")
OPTIONAL_FIELDS = (
    "worker_id",
    "site_id",
    "camera_id",
    "model_name",
    "model_version",
    "count",
    "count_total",
    "event_id",
)
FIELDS = {*REQUIRED_FIELDS, *OPTIONAL_FIELDS, "contract_version"}
EVENT_TYPES = {"working", "idle", "absent", "product_count"}
LARGEST_COUNT = 1_000_000
LARGEST_TOTAL = 10**15
LONGEST_IDENTIFIER = 64
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
FUTURE_ALLOWED = timedelta(hours=24)
TIMESTAMP = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]+))?)?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2}|[+-][0-9]{4}|[+-][0-9]{2})?"
)


@dataclass(frozen=True)
class Event:
    """An accepted record. `at` is in microseconds since 1970-01-01T00:00Z.

    Without a worker it is the station's own event. `count_total` is the reading of a counter, whose count is 0.
    """

    site_id: str
    at: int
    worker_id: str | None
    workstation_id: str
    event_type: str
    confidence: float
    count: int
    camera_id: str
    model_name: str
    model_version: str
    event_id: str | None = None
    count_total: int | None = None


@dataclass(frozen=True)
class Rejection:
    """A rejected record; `position`, `part` and `payload` as in the mart rejected_records."""

    position: int
    part: int
    reason: str
    payload: str | None


@dataclass
class Reading:
    """The records of one object: records = accepted + rejected; `accepted` with positions and parts."""

    accepted: list[tuple[int, int, Event]] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)
    unexpected_fields: list[str] = field(default_factory=list)

    @property
    def records(self) -> int:
        return len(self.accepted) + len(self.rejected)

    @property
    def events(self) -> list[Event]:
        return [event for _, _, event in self.accepted]


class Refused(Exception):
    """A record breaks a rule. The argument is the reason."""


def is_event_object(key: str) -> bool:
    """Whether the key names an object of event records that must be landed."""
    segments = key.split("/")
    ignored = any(segment.startswith((".", "_")) for segment in segments) or key.endswith((".tmp", ".part"))
    return segments[0] == "events" and not ignored and OBJECT_NAME.fullmatch(segments[-1]) is not None


def read_object(key: str, content: bytes, now: datetime) -> Reading:
    """Judge every record of one object, landed at `now`."""
    reading = Reading()
    try:
        records, has_rest = records_of(content)
    except Damaged:
        records, has_rest = [], True
    names: set[str] = set()
    for record in records:
        if isinstance(record.value, dict):
            names |= {without_surrogates(name)[:100] for name in record.value if name not in FIELDS}
        try:
            reading.accepted.append((record.position, record.part, judge(record.value, key, now)))
        except Refused as refused:
            reading.rejected.append(Rejection(record.position, record.part, str(refused), record.payload))
    if has_rest:
        reading.rejected.append(Rejection(0, 1, "malformed_json", None))
    reading.rejected.sort(key=lambda one: (one.position, one.part))
    reading.unexpected_fields = sorted(names)[:200]
    return reading


def without_surrogates(text: str) -> str:
    return "".join(REPLACEMENT if "\ud800" <= character <= "\udfff" else character for character in text)


def judge(value: Any, key: str, now: datetime) -> Event:
    """The event of a record's value. Raises Refused with the first reason in the contract's order."""
    if value is NotJson:
        raise Refused("malformed_json")
    if not isinstance(value, dict):
        raise Refused("not_an_object")
    record = {name: member for name, member in value.items() if member is not None}
    if whole(record.get("contract_version", Number("1")), 1) != 1:
        raise Refused("missing_field")
    if any(name not in record for name in REQUIRED_FIELDS):
        raise Refused("missing_field")
    at = instant(record["timestamp"], now)
    worker_id = identifier(record["worker_id"]) if "worker_id" in record else None
    workstation_id = identifier(record["workstation_id"])
    site_id = identifier(record.get("site_id", folder_value(key, "site_id") or "default"))
    camera_id = identifier(record.get("camera_id", folder_value(key, "camera_id") or "unknown"))
    model_name = identifier(record.get("model_name", "unknown"))
    model_version = identifier(record.get("model_version", "unknown"))
    kind = event_type(record["event_type"])
    sure = confidence(record["confidence"])
    if "count" in record and "count_total" in record:
        raise Refused("bad_count")
    units = whole(record.get("count", Number("1")), LARGEST_COUNT)
    total = whole(record["count_total"], LARGEST_TOTAL) if "count_total" in record else None
    if units is None or ("count_total" in record and total is None):
        raise Refused("bad_count")
    is_count = kind == "product_count"
    return Event(
        site_id=site_id,
        at=at,
        worker_id=worker_id,
        workstation_id=workstation_id,
        event_type=kind,
        confidence=sure,
        count=0 if is_count and total is not None else units,
        camera_id=camera_id,
        model_name=model_name,
        model_version=model_version,
        event_id=event_id(record.get("event_id")) if is_count else None,
        count_total=total if is_count else None,
    )


def instant(value: Any, now: datetime) -> int:
    parts = TIMESTAMP.fullmatch(value) if isinstance(value, str) else None
    if parts is None:
        raise Refused("bad_timestamp")
    year, month, day, hour, minute = (int(part) for part in parts.groups()[:5])
    second = int(parts[6] or 0)
    microsecond = int((parts[7] or "")[:6].ljust(6, "0"))
    offset = parts[8]
    if not is_date(year, month, day) or hour > 23 or minute > 59 or second > 59:
        raise Refused("bad_timestamp")
    if offset is None:
        raise Refused("timestamp_without_offset")
    offset_minutes = 0
    if offset not in ("Z", "z"):
        hours, minutes = int(offset[1:3]), int(offset[3:].lstrip(":") or "0")
        if hours > 23 or minutes > 59:
            raise Refused("bad_timestamp")
        offset_minutes = int(offset[0] + "1") * (hours * 60 + minutes)
    if not 1999 <= year < 9999:  # beyond these years datetime cannot subtract an offset, and none helps
        raise Refused("timestamp_out_of_range")
    local = datetime(year, month, day, hour, minute, second, microsecond, tzinfo=UTC)
    moment = local - timedelta(minutes=offset_minutes)
    if not EARLIEST <= moment <= now + FUTURE_ALLOWED:
        raise Refused("timestamp_out_of_range")
    return (moment - EPOCH) // MICROSECOND


def is_date(year: int, month: int, day: int) -> bool:
    try:
        date(year or 2000, month, day)  # the year 0000 is a leap year, as 2000 is
    except ValueError:
        return False
    return True


def identifier(value: Any) -> str:
    """One form for all spellings: NFC, nothing invisible at either end, each blank inside an ordinary one."""
    if not isinstance(value, str):
        raise Refused("bad_identifier")
    characters = list(unicodedata.normalize("NFC", value))
    while characters and outer(characters[0]):
        del characters[0]
    while characters and outer(characters[-1]):
        del characters[-1]
    text = "".join(" " if unicodedata.category(one) == "Zs" else one for one in characters)
    if any(unicodedata.category(one) in ("Cc", "Cf", "Zl", "Zp", "Cs") for one in text):
        raise Refused("bad_identifier")
    if not 1 <= len(text) <= LONGEST_IDENTIFIER:
        raise Refused("bad_identifier")
    return text


def outer(character: str) -> bool:
    return character.isspace() or unicodedata.category(character) in ("Cc", "Cf")


def event_id(value: Any) -> str | None:
    """What distinguishes two products: an identifier, or a whole number's digits. Anything else counts as absent."""
    if isinstance(value, Number):
        number = whole(value, 10**64 - 1)
        return None if number is None else str(number)
    try:
        return identifier(value)
    except Refused:
        return None


def folder_value(key: str, name: str) -> str:
    """The value of the last folder `name=…` of the key, "" if there is none.

    Surrogates stand for bytes that are not UTF-8.
    """
    found = ""
    for folder in key.split("/")[:-1]:
        own, separator, written = folder.partition("=")
        if separator and own.lower() == name:
            octets = re.sub(rb"%([0-9A-Fa-f]{2})", of_hexadecimal, written.encode("utf-8", "surrogateescape"))
            value = octets.decode("utf-8", "surrogateescape")
            found = found if value.strip() in ("", "__HIVE_DEFAULT_PARTITION__") else value
    return found


def of_hexadecimal(match: re.Match[bytes]) -> bytes:
    return bytes([int(match[1], 16)])


def event_type(value: Any) -> str:
    if not isinstance(value, str) or value not in EVENT_TYPES:
        raise Refused("unknown_event_type")
    return value


def confidence(value: Any) -> float:
    number = float(value.text) if isinstance(value, Number) else -1.0
    if not 0.0 <= number <= 1.0:
        raise Refused("confidence_out_of_range")
    return number + 0.0  # -0.0 becomes 0.0


def _decimal(digits: str) -> int:
    """The number for any count of digits; Python itself reads at most 4,300 at once."""
    number = 0
    for start in range(0, len(digits), 1000):
        part = digits[start : start + 1000]
        number = number * 10 ** len(part) + int(part)
    return number


def whole(value: Any, largest: int) -> int | None:
    """A number whose value is whole, from 0 to the largest; None for anything else."""
    if not isinstance(value, Number):
        return None
    mantissa, _, exponent = value.text.lower().partition("e")
    power = max(-10_000, min(10_000, int(exponent[:20] or "0")))  # beyond it, no mantissa of a test changes the result
    before, _, behind = mantissa.partition(".")
    digits = before.lstrip("-") + behind
    number = Fraction(_decimal(digits)) / 10 ** len(behind) * Fraction(10) ** power
    number = -number if before.startswith("-") else number
    return int(number) if number.denominator == 1 and 0 <= number <= largest else None
