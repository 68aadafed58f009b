"""Contract §1 and §2: one object's key and bytes become accepted events and rejected records.

Nothing here knows about shifts or marts. Instants are whole microseconds since 1970-01-01T00:00Z.
"""

import gzip
import re
import zlib
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import zstandard

from tests.reference.json_text import WHITE_SPACE, NotJson, Number, elements, whole_value

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
OBJECT_NAME = re.compile(r".*\.(json|jsonl|ndjson)(\.gz|\.zst)?", re.DOTALL)
REQUIRED_FIELDS = ("timestamp", "worker_id", "workstation_id", "event_type", "confidence")
FIELDS = {*REQUIRED_FIELDS, "count", "site_id", "camera_id", "model_name", "model_version", "contract_version"}
EVENT_TYPES = {"working", "idle", "absent", "product_count"}
LARGEST_COUNT = 1_000_000
LONGEST_IDENTIFIER = 64
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
FUTURE_ALLOWED = timedelta(hours=24)
TIMESTAMP = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[T ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]+))?)?"
    r"(Z|[+-][0-9]{2}:[0-9]{2})?"
)


@dataclass(frozen=True)
class Event:
    """An accepted record. `at` is in microseconds since 1970-01-01T00:00Z."""

    site_id: str
    at: int
    worker_id: str
    workstation_id: str
    event_type: str
    confidence: float
    count: int
    camera_id: str
    model_name: str
    model_version: str


@dataclass(frozen=True)
class Rejection:
    """A rejected record; `position` and `payload` as in the mart rejected_records."""

    position: int
    reason: str
    payload: str | None


@dataclass
class Reading:
    """All that one object holds: records = accepted + rejected, `accepted` with their positions."""

    accepted: list[tuple[int, Event]] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)
    unexpected_fields: list[str] = field(default_factory=list)

    @property
    def records(self) -> int:
        return len(self.accepted) + len(self.rejected)

    @property
    def events(self) -> list[Event]:
        return [event for _, event in self.accepted]


class Refused(Exception):
    """A record breaks a rule; its argument is the reason."""


def is_event_object(key: str) -> bool:
    """Whether the key names an object of event records that has to be landed."""
    segments = key.split("/")
    ignored = any(segment.startswith((".", "_")) for segment in segments) or key.endswith((".tmp", ".part"))
    return segments[0] == "events" and not ignored and OBJECT_NAME.fullmatch(segments[-1]) is not None


def read_object(key: str, content: bytes, now: datetime) -> Reading:
    """Judge every record of one object, landed at `now`."""
    reading = Reading()
    try:
        content = decompressed(key, content)
    except (OSError, EOFError, zlib.error, zstandard.ZstdError):
        reading.rejected.append(Rejection(0, "malformed_json", None))
        return reading
    names: set[str] = set()
    for position, value, payload in records(content.removeprefix(BYTE_ORDER_MARK)):
        if isinstance(value, dict):
            names |= {without_surrogates(name) for name in value if name not in FIELDS}
        try:
            reading.accepted.append((position, judge(value, key, now)))
        except Refused as refused:
            reading.rejected.append(Rejection(position, str(refused), payload))
    reading.unexpected_fields = sorted(names)
    return reading


def without_surrogates(text: str) -> str:
    return "".join(REPLACEMENT if "\ud800" <= character <= "\udfff" else character for character in text)


def decompressed(key: str, content: bytes) -> bytes:
    if content and key.endswith(".gz"):
        return gzip.decompress(content)
    if content and key.endswith(".zst"):
        return b"".join(zstd_frames(content))
    return content


def zstd_frames(content: bytes) -> list[bytes]:
    """The frames of a .zst file, each whole: a file that is cut off is an error, never half of its records."""
    frames = []
    while content:
        frame = zstandard.ZstdDecompressor().decompressobj()
        frames.append(frame.decompress(content))
        if not frame.eof:
            raise EOFError("the last frame is not whole")
        content = frame.unused_data
    return frames


def records(content: bytes) -> list[tuple[int, Any, str]]:
    """Position, value (NotJson for none) and text of every record."""
    try:
        text = content.decode("utf-8")
        value = whole_value(text)
    except (UnicodeDecodeError, NotJson):
        return json_lines(content)
    if isinstance(value, list):
        return [(position, element, own) for position, (element, own) in enumerate(elements(text), start=1)]
    return [(1, value, text.strip(WHITE_SPACE))]


def json_lines(content: bytes) -> list[tuple[int, Any, str]]:
    found: list[tuple[int, Any, str]] = []
    for position, untrimmed in enumerate(content.split(b"\n"), start=1):
        line = untrimmed.strip(WHITE_SPACE.encode())
        if not line:
            continue
        value: Any
        try:
            value = whole_value(line.decode("utf-8"))
        except (UnicodeDecodeError, NotJson):
            value = NotJson
        found.append((position, value, line.decode("utf-8", "replace")))
    return found


def judge(value: Any, key: str, now: datetime) -> Event:
    """The event that a record's value is, or Refused with the first reason in the contract's order."""
    if value is NotJson:
        raise Refused("malformed_json")
    if not isinstance(value, dict):
        raise Refused("not_an_object")
    record = {name: member for name, member in value.items() if member is not None}
    if record.get("contract_version", Number("1")) != Number("1"):
        raise Refused("missing_field")
    if any(name not in record for name in REQUIRED_FIELDS):
        raise Refused("missing_field")
    return Event(
        at=instant(record["timestamp"], now),
        worker_id=identifier(record["worker_id"]),
        workstation_id=identifier(record["workstation_id"]),
        site_id=identifier(record.get("site_id", folder_value(key, "site_id") or "default")),
        camera_id=identifier(record.get("camera_id", folder_value(key, "camera_id") or "unknown")),
        model_name=identifier(record.get("model_name", "unknown")),
        model_version=identifier(record.get("model_version", "unknown")),
        event_type=event_type(record["event_type"]),
        confidence=confidence(record["confidence"]),
        count=count(record.get("count", Number("1"))),
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
    if offset != "Z":
        if int(offset[1:3]) > 23 or int(offset[4:6]) > 59:
            raise Refused("bad_timestamp")
        offset_minutes = int(offset[0] + "1") * (int(offset[1:3]) * 60 + int(offset[4:6]))
    if not 1999 <= year < 9999:  # beyond these years datetime cannot subtract the offset, and no offset saves them
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
    trimmed = value.strip(" ") if isinstance(value, str) else ""
    if not 1 <= len(trimmed) <= LONGEST_IDENTIFIER or without_surrogates(trimmed) != trimmed:
        raise Refused("bad_identifier")
    return trimmed


def folder_value(key: str, name: str) -> str:
    """What the last folder `name=…` of the key says; empty when there is none."""
    found = ""
    for folder in key.split("/")[:-1]:
        if folder.startswith(f"{name}="):
            found = folder.removeprefix(f"{name}=").strip(" ") or found
    return found


def event_type(value: Any) -> str:
    if not isinstance(value, str) or value not in EVENT_TYPES:
        raise Refused("unknown_event_type")
    return value


def confidence(value: Any) -> float:
    number = float(value.text) if isinstance(value, Number) else -1.0
    if not 0.0 <= number <= 1.0:
        raise Refused("confidence_out_of_range")
    return number + 0.0  # -0.0 becomes 0.0


def count(value: Any) -> int:
    # Eight characters hold every number that can be right, and int() refuses to read thousands of digits.
    if not isinstance(value, Number) or re.fullmatch("-?[0-9]{1,8}", value.text) is None:
        raise Refused("bad_count")
    if not 0 <= int(value.text) <= LARGEST_COUNT:
        raise Refused("bad_count")
    return int(value.text)
