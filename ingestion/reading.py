"""From fetched objects to columns: the fast way for records that are plainly right, the exact one for all others.

Parsing is most of landing's cost. A record whose fields all have the contract's names, types and ranges decodes into
one struct in C; only what that refuses, or what the checks on whole columns doubt, is judged again by `contract.py`.
The fast way accepts a part of what the exact one accepts and gives the same values, never the other way round.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Annotated, Literal

import duckdb
import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.bucket import FetchedObject
from ingestion.contract import (
    DEFAULT_SITE,
    EARLIEST,
    FIELDS,
    LATEST_AFTER_LANDING,
    MAX_COUNT,
    MAX_IDENTIFIER_LENGTH,
    UNKNOWN,
    VERSION_FIELD,
    Event,
    Folder,
    Refusal,
    folder_of,
    judge_record,
    visible,
)
from ingestion.framing import MAX_NESTING, Records, Undecodable, split_records, unpack
from ingestion.settings import Settings

_Identifier = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_IDENTIFIER_LENGTH)]


class _PlainEvent(msgspec.Struct, gc=False):
    """A record that needs no second look but for its timestamp and the spaces around its identifiers."""

    timestamp: str
    worker_id: _Identifier
    workstation_id: _Identifier
    event_type: Literal["working", "idle", "absent", "product_count"]
    confidence: Annotated[float, msgspec.Meta(ge=0, le=1)]
    count: Annotated[int, msgspec.Meta(ge=0, le=MAX_COUNT)] | None = None
    site_id: _Identifier | None = None
    camera_id: _Identifier | None = None
    model_name: _Identifier | None = None
    model_version: _Identifier | None = None
    contract_version: Literal[1] | None = None


class _KnownFieldsOnly(_PlainEvent, forbid_unknown_fields=True, gc=False):
    """The common case: nothing in it that the contract does not know."""


_decode_known = msgspec.json.Decoder(_KnownFieldsOnly).decode
_decode_plain = msgspec.json.Decoder(_PlainEvent).decode
_decode_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_REFUSED = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
# Enough of a record that is too large to see where it comes from, in bytes.
KEPT_OF_HUGE_RECORD = 4096

_FIELD_TYPES = {
    name: {"confidence": pa.float64(), "count": pa.int64()}.get(name, pa.string())
    for name in _PlainEvent.__struct_fields__
    if name != VERSION_FIELD
}

EVENT_COLUMNS = pa.schema(
    [
        ("object_index", pa.int32()),
        ("position", pa.int64()),
        ("event_at", pa.timestamp("us", tz="UTC")),
        ("site_id", pa.string()),
        ("camera_id", pa.string()),
        ("worker_id", pa.string()),
        ("workstation_id", pa.string()),
        ("event_type", pa.string()),
        ("confidence", pa.float64()),
        ("unit_count", pa.int64()),
        ("model_name", pa.string()),
        ("model_version", pa.string()),
    ]
)

# Timestamps that DuckDB's cast and the contract read alike; all others are left to the exact reading.
_PLAIN_TIMESTAMP = (
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?"
    r"(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])"
)

_CHECK_PLAIN = f"""
    with typed as (
        select
            plain.* exclude (timestamp),
            case
                when regexp_full_match(timestamp, '{_PLAIN_TIMESTAMP}') then try_cast(timestamp as timestamptz)
            end as event_at,
            trim(worker_id, ' ') as trimmed_worker_id,
            trim(workstation_id, ' ') as trimmed_workstation_id,
            trim(coalesce(plain.site_id, folders.site_id, '{DEFAULT_SITE}'), ' ') as trimmed_site_id,
            trim(coalesce(plain.camera_id, folders.camera_id, '{UNKNOWN}'), ' ') as trimmed_camera_id,
            trim(coalesce(model_name, '{UNKNOWN}'), ' ') as trimmed_model_name,
            trim(coalesce(model_version, '{UNKNOWN}'), ' ') as trimmed_model_version
        from plain
        inner join folders using (object_index)
    )
    select
        place,
        object_index,
        position,
        event_at,
        trimmed_site_id as site_id,
        trimmed_camera_id as camera_id,
        trimmed_worker_id as worker_id,
        trimmed_workstation_id as workstation_id,
        event_type,
        confidence + 0.0 as confidence,
        coalesce(count, 1) as unit_count,
        trimmed_model_name as model_name,
        trimmed_model_version as model_version,
        coalesce(
            event_at between $earliest and $latest
            and trimmed_worker_id <> '' and trimmed_workstation_id <> ''
            and length(trimmed_site_id) between 1 and {MAX_IDENTIFIER_LENGTH}
            and length(trimmed_camera_id) between 1 and {MAX_IDENTIFIER_LENGTH}
            and trimmed_model_name <> '' and trimmed_model_version <> '',
            false
        ) as is_plain
    from typed
"""


@dataclass(frozen=True, slots=True)
class RejectedRecord:
    """A record that is not accepted, with all that is needed to understand it and to try it again."""

    object_index: int
    position: int
    reason: str
    detail: str
    payload: str | None


@dataclass(slots=True)
class ReadObjects:
    """Some objects' records. `object_index` counts the objects in the order given, from 0."""

    events: list[pa.Table] = field(default_factory=list)  # tables of EVENT_COLUMNS
    rejected: list[RejectedRecord] = field(default_factory=list)
    record_counts: list[int] = field(default_factory=list)  # per object
    unexpected_fields: list[set[str]] = field(default_factory=list)  # per object


@dataclass(frozen=True, slots=True)
class _Records:
    """The records of all objects, one after the other; a record's place is its index here."""

    raws: list[bytes]
    object_indexes: np.ndarray  # int32
    positions: np.ndarray  # int64


def read_objects(
    objects: Sequence[FetchedObject], settings: Settings, landed_at: datetime, session: duckdb.DuckDBPyConnection
) -> ReadObjects:
    """Every record of the objects, accepted or rejected. `session` is only computed with, nothing is written."""
    result = ReadObjects(unexpected_fields=[set() for _ in objects])
    records = split_all(objects, settings, result)
    folders = [folder_of(fetched.key) for fetched in objects]
    decoded, doubtful = _decode_all(records, result)
    if decoded:
        doubtful += _check_plain(
            decoded, np.delete(np.arange(len(records.raws)), doubtful), records, folders, landed_at, session, result
        )
    _read_exactly(sorted(doubtful), records, folders, landed_at, result)
    return result


def split_all(objects: Sequence[FetchedObject], settings: Settings, result: ReadObjects) -> _Records:
    """The objects' records; counts them in `result`, and rejects there what cannot be unpacked or is too large."""
    raws: list[bytes] = []
    positions: list[np.ndarray] = []
    for index, fetched in enumerate(objects):
        try:
            split = _split(fetched, settings.max_object_bytes)
        except Undecodable as error:
            result.record_counts.append(1)
            positions.append(np.empty(0, np.int64))
            result.rejected.append(RejectedRecord(index, 0, "malformed_json", str(error), None))
            continue
        result.record_counts.append(len(split.raws))
        if max(map(len, split.raws), default=0) > settings.max_record_bytes:
            split = _without_huge_records(split, index, settings.max_record_bytes, result)
        positions.append(np.asarray(split.positions, np.int64))
        raws += split.raws
    object_indexes = np.repeat(np.arange(len(objects), dtype=np.int32), [len(part) for part in positions])
    return _Records(raws, object_indexes, np.concatenate(positions) if positions else np.empty(0, np.int64))


def _split(fetched: FetchedObject, max_bytes: int) -> Records:
    if fetched.content is None:
        raise Undecodable(f"The object has {fetched.size:,} bytes; at most {max_bytes:,} are read.")
    try:
        return split_records(unpack(fetched.key, fetched.content, max_bytes))
    except Undecodable as error:
        raise Undecodable(f"The object cannot be decompressed: {str(error).rstrip('.')}.") from error


def _without_huge_records(split: Records, object_index: int, max_bytes: int, result: ReadObjects) -> Records:
    """The other records; those that are larger than `max_bytes` are rejected, with the start of their text."""
    kept = []
    for position, raw in zip(*split, strict=True):
        if len(raw) <= max_bytes:
            kept.append((position, raw))
            continue
        detail = f"The record has {len(raw):,} bytes; at most {max_bytes:,} are read. Its text is cut."
        payload = raw[:KEPT_OF_HUGE_RECORD].decode("utf-8", errors="replace")
        result.rejected.append(RejectedRecord(object_index, position, "malformed_json", detail, payload))
    return Records([position for position, _ in kept], [raw for _, raw in kept])


def _decode_all(records: _Records, result: ReadObjects) -> tuple[list[_PlainEvent], list[int]]:
    """The records that decode as plain events, in order, and the places of all others."""
    decoded: list[_PlainEvent] = []
    doubtful: list[int] = []
    remaining = iter(records.raws)
    while True:
        try:
            # The loop over the records runs in C. One that is refused ends it; those before it are kept.
            decoded.extend(map(_decode_known, remaining))
        except _REFUSED:
            place = len(decoded) + len(doubtful)
            unexpected = result.unexpected_fields[records.object_indexes[place]]
            event = _decode_with_unexpected_fields(records.raws[place], unexpected)
            if event is None:
                doubtful.append(place)
            else:
                decoded.append(event)
        else:
            return decoded, doubtful


def _check_plain(
    decoded: list[_PlainEvent],
    places: np.ndarray,
    records: _Records,
    folders: list[Folder],
    landed_at: datetime,
    session: duckdb.DuckDBPyConnection,
    result: ReadObjects,
) -> list[int]:
    """Add what is plainly right to the result, by checks on whole columns; give the places of the rest."""
    columns = {name: pa.array(list(map(attrgetter(name), decoded)), kind) for name, kind in _FIELD_TYPES.items()}
    # A connection of its own: what the caller has left unfinished on its own one would stop this query.
    session = session.cursor()
    session.register(
        "plain",
        pa.table(
            {
                "place": places,
                "object_index": records.object_indexes[places],
                "position": records.positions[places],
                **columns,
            }
        ),
    )
    session.register(
        "folders",
        pa.table(
            {
                "object_index": pa.array(range(len(folders)), pa.int32()),
                "site_id": pa.array([_storable(folder.site_id) for folder in folders], pa.string()),
                "camera_id": pa.array([_storable(folder.camera_id) for folder in folders], pa.string()),
            }
        ),
    )
    checked = session.sql(
        _CHECK_PLAIN, params={"earliest": EARLIEST, "latest": landed_at + LATEST_AFTER_LANDING}
    ).to_arrow_table()
    session.close()
    is_plain = checked["is_plain"]
    result.events.append(checked.filter(is_plain).select(EVENT_COLUMNS.names).cast(EVENT_COLUMNS))
    doubted: list[int] = checked.filter(pc.invert(is_plain))["place"].to_pylist()
    return doubted


def _storable(name: str | None) -> str | None:
    """A folder's name, or the blank that is never plain where it has bytes that are not UTF-8."""
    return name if name is None or visible(name) == name else ""


def _decode_with_unexpected_fields(raw: bytes, unexpected: set[str]) -> _PlainEvent | None:
    """A plain event with fields the contract does not know, whose names are added; None where it is not plain."""
    # The decoder passes over an unknown field's value without a look at its encoding or how deep the next one nests.
    if raw.count(b"[") + raw.count(b"{") > MAX_NESTING:
        return None
    try:
        raw.decode("utf-8")
        event = _decode_plain(raw)
        unexpected |= _decode_members(raw).keys() - FIELDS
    except _REFUSED:
        return None
    return event


def _read_exactly(
    places: list[int], records: _Records, folders: list[Folder], landed_at: datetime, result: ReadObjects
) -> None:
    """Judge the other records one by one."""
    accepted: list[dict[str, object]] = []
    for place in places:
        raw, position = records.raws[place], int(records.positions[place])
        object_index = int(records.object_indexes[place])
        verdict, unexpected = judge_record(raw, folders[object_index], landed_at)
        result.unexpected_fields[object_index] |= unexpected
        if isinstance(verdict, Refusal):
            payload = raw.decode("utf-8", errors="replace")
            result.rejected.append(RejectedRecord(object_index, position, verdict.reason, verdict.detail, payload))
        else:
            accepted.append(columns_of(verdict, object_index, position))
    if accepted:
        result.events.append(pa.Table.from_pylist(accepted, schema=EVENT_COLUMNS))


def columns_of(event: Event, object_index: int, position: int) -> dict[str, object]:
    """An event as a row of `EVENT_COLUMNS`."""
    return {
        "object_index": object_index,
        "position": position,
        "event_at": event.timestamp,
        "site_id": event.site_id,
        "camera_id": event.camera_id,
        "worker_id": event.worker_id,
        "workstation_id": event.workstation_id,
        "event_type": event.event_type,
        "confidence": event.confidence,
        "unit_count": event.count,
        "model_name": event.model_name,
        "model_version": event.model_version,
    }
