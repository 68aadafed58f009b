"""Applies the contract's rules to whole columns of records: decides which records are plain, and converts those.

A record is plain if its parsed fields obey version 1 of the contract; `proof.py` shows that it contains nothing else.
Each rule here accepts a subset of what `contract/events.py` accepts, with the same values. Where the two could differ
(an unusual timestamp, a number written as text), the record is not plain and is judged there. One check is left to the
caller: see `Checked.is_spelled`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.contract.event_columns import COLUMNS
from ingestion.contract.events import (
    DEFAULT_SITE,
    EARLIEST,
    EVENT_TYPES,
    LATEST_AFTER_LANDING,
    MAX_COUNT,
    MAX_COUNT_TOTAL,
    PRODUCT_COUNT,
    UNKNOWN,
    VERSION_FIELD,
    Folder,
)
from ingestion.contract.identifiers import MAX_IDENTIFIER_LENGTH, identifier_or_none, visible
from ingestion.reading.column_timestamps import are_plain_timestamps
from ingestion.reading.columns import EVENT_ID, NUMBERS, TEXTS
from ingestion.reading.text_columns import Bytes, Flags, bytes_of
from ingestion.records.slices import Slice

_TYPES = {
    "timestamptz": pa.timestamp("us", tz="UTC"),
    "varchar": pa.string(),
    "double": pa.float64(),
    "bigint": pa.int64(),
}
# The columns of an accepted record, without those of its object.
EVENT_COLUMNS = pa.schema(
    [
        ("object_index", pa.int32()),
        ("position", pa.int64()),
        ("part", pa.int32()),
        *((column.name, _TYPES[column.sql_type]) for column in COLUMNS),
    ]
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# An event_id that needs no closer look: visible ASCII in quotes, or a few digits.
_PLAIN_ID = r'^("[!#-\[\]-~]{1,64}"|0|[1-9][0-9]{0,17})$'
# The columns of this many records, with the results, fit in the processor's cache.
BLOCK_RECORDS = 32_768


@cache
def _no_text() -> pa.StringScalar:
    """A null string, created at its first use because the first scalar imports pandas."""
    return pa.scalar(None, pa.string())


@dataclass(frozen=True, slots=True)
class Checked:
    """The records of a slice as `EVENT_COLUMNS`, with what was found out about each; everything is indexed by place."""

    events: pa.Table
    is_plain: Flags
    # Plain if the record contains nothing else: a whole number is written as 5.0, which was searched for in the text.
    is_spelled: Flags
    members: npt.NDArray[np.int8]  # parsed fields of the record that are not null
    texts: npt.NDArray[np.int8]  # those of them that are texts


def check(
    read: pa.Table,
    records: Slice,
    folders: Mapping[int, Folder],
    landed_at: datetime,
    nameless_sites: frozenset[str] = frozenset(),
) -> Checked:
    """Apply the rules to a slice's records as `columns.py` parsed them into `read`. `folders` is indexed by object.

    Worker ids of `nameless_sites` are removed first.
    """
    defaults = _Defaults(folders)
    range_of_time = _microseconds(EARLIEST), _microseconds(landed_at + LATEST_AFTER_LANDING)
    batches: list[pa.RecordBatch] = []
    flags: list[Flags] = []
    spelled: list[Flags] = []
    nameless = pa.array(sorted(nameless_sites), pa.string())
    members: list[npt.NDArray[np.int8]] = []
    texts: list[npt.NDArray[np.int8]] = []
    first = 0
    for batch in read.to_batches(max_chunksize=BLOCK_RECORDS):
        places = slice(first, first + batch.num_rows)
        block, is_spelled = _without_zero_fractions(batch, records, places)
        columns, is_plain = _events(block, defaults.of(records.object_indexes[places]), range_of_time, nameless)
        columns["object_index"] = pa.array(records.object_indexes[places])
        columns["position"] = pa.array(records.positions[places])
        columns["part"] = pa.array(records.parts[places])
        batches.append(pa.record_batch([columns[name] for name in EVENT_COLUMNS.names], schema=EVENT_COLUMNS))
        flags.append(is_plain)
        spelled.append(is_spelled)
        texts.append(_present(block, TEXTS) + _quoted(block[EVENT_ID]))
        members.append(_present(block, (*TEXTS, *NUMBERS, EVENT_ID)))
        first = places.stop
    return Checked(
        pa.Table.from_batches(batches),
        np.concatenate(flags),
        np.concatenate(spelled),
        np.concatenate(members),
        np.concatenate(texts),
    )


class _Defaults:
    """The values of identifiers that a record does not give, some of them taken from its object's key."""

    def __init__(self, folders: Mapping[int, Folder]) -> None:
        self._first = min(folders)
        by_index = [folders.get(index, Folder()) for index in range(self._first, max(folders) + 1)]
        self._sites = pa.array([_storable(folder.site_id or DEFAULT_SITE) for folder in by_index])
        self._cameras = pa.array([_storable(folder.camera_id or UNKNOWN) for folder in by_index])

    def of(self, object_indexes: npt.NDArray[np.int32]) -> dict[str, pa.Array | str]:
        """The default for records of these objects: one text for all, one for each, or none where required."""
        places = pa.array(object_indexes - self._first)
        return {
            "site_id": self._sites.take(places),
            "workstation_id": "",
            "camera_id": self._cameras.take(places),
            "model_name": UNKNOWN,
            "model_version": UNKNOWN,
        }


def _events(
    block: pa.RecordBatch,
    defaults: Mapping[str, pa.Array | str],
    range_of_time: tuple[int, int],
    nameless_sites: pa.StringArray,
) -> tuple[dict[str, pa.Array], Flags]:
    """The columns of the events, and a mask of the records that obey every rule."""
    columns = {name: block[name] for name in ("event_at", "event_type", "confidence")}
    is_plain = are_plain_timestamps(block["timestamp"])
    # An invalid time becomes the year 1970, which is too early.
    is_plain &= _between(block["event_at"].view(pa.int64()).fill_null(0), *range_of_time)
    is_plain &= _flags(pc.is_in(block["event_type"], pa.array(EVENT_TYPES)))
    is_plain &= _between(block["confidence"].fill_null(-1.0), 0, 1)
    for name, default in defaults.items():
        columns[name], fits = _identifiers(block[name], default)
        is_plain &= fits
    workers = block["worker_id"]
    if len(nameless_sites):
        is_nameless = pc.is_in(columns["site_id"], nameless_sites)
        workers = pc.if_else(is_nameless, _no_text(), workers)
    has_worker = _flags(workers.is_valid())
    names, fits = _identifiers(workers, "")
    columns["worker_id"] = names if has_worker.all() else pc.if_else(pa.array(has_worker), names, _no_text())
    is_plain &= fits | ~has_worker
    is_plain &= _count(block, columns)
    if block[VERSION_FIELD].null_count < len(block):
        is_plain &= _flags(pc.equal(block[VERSION_FIELD].fill_null("1"), "1"))
    return columns, is_plain


def _count(block: pa.RecordBatch, columns: dict[str, pa.Array]) -> Flags:
    """Add the count columns, and return a mask of the records whose counts obey the rules."""
    columns["unit_count"], is_plain = _whole(block["count"].fill_null("1"), MAX_COUNT)
    columns["event_id"] = pa.nulls(len(block), pa.string())
    columns["count_total"] = pa.nulls(len(block), pa.int64())
    ids, totals = block[EVENT_ID], block["count_total"]
    if ids.null_count == len(block) and totals.null_count == len(block):
        return is_plain
    is_count = pc.equal(block["event_type"], PRODUCT_COUNT).fill_null(False)
    if ids.null_count < len(block):
        is_plain &= _flags(pc.match_substring_regex(ids, _PLAIN_ID).fill_null(True))
        columns["event_id"] = pc.if_else(is_count, pc.utf8_trim(ids, characters='"'), _no_text())
    if totals.null_count < len(block):
        is_plain &= _flags(pc.invert(pc.and_(totals.is_valid(), block["count"].is_valid())))
        numbers, fits = _whole(totals.fill_null("0"), MAX_COUNT_TOTAL)
        is_plain &= fits
        is_reading = pc.and_(is_count, totals.is_valid())
        columns["count_total"] = pc.if_else(is_reading, numbers, pa.scalar(None, pa.int64()))
        columns["unit_count"] = pc.if_else(is_reading, pa.scalar(0, pa.int64()), columns["unit_count"])
    return is_plain


def _identifiers(column: pa.StringArray, default: pa.Array | str) -> tuple[pa.StringArray, Flags]:
    """The texts in normalised form, and a mask of those that are identifiers."""
    if column.null_count:
        column = pc.coalesce(column, default)
    codes, bounds = bytes_of(column)
    if _is_simple(codes, bounds):
        lengths = np.diff(bounds)
        return column, (lengths >= 1) & (lengths <= MAX_IDENTIFIER_LENGTH)
    # A plant has few identifiers: each is normalised once.
    encoded = column.dictionary_encode()
    forms = [identifier_or_none(text) for text in encoded.dictionary.to_pylist()]
    places = encoded.indices.to_numpy()
    fits: Flags = np.array([form is not None for form in forms], np.bool_)
    return pa.array([form or "" for form in forms], pa.string()).take(encoded.indices), fits[places]


def _is_simple(codes: Bytes, bounds: npt.NDArray[np.int32]) -> bool:
    """Whether all texts are visible ASCII without outer blanks, and so already normalised."""
    # For an empty text this reads a byte of its neighbour, which does no harm.
    ends = codes.take(np.concatenate([bounds[:-1], bounds[1:] - 1]), mode="clip")
    is_visible = (codes[bounds[0] : bounds[-1]] - np.uint8(0x20)) < 0x5F
    return not (ends == ord(" ")).any() and bool(is_visible.all())


def _whole(column: pa.StringArray, highest: int) -> tuple[pa.Int64Array, Flags]:
    """The numbers, and a mask of those that are written in digits alone and are in range."""
    codes, bounds = bytes_of(column)
    fits = np.diff(bounds) <= len(str(highest))
    digits = codes[bounds[0] : bounds[-1]]
    if not fits.all() or (digits < ord("0")).any() or (digits > ord("9")).any():
        fits &= _flags(pc.match_substring_regex(column, "^[0-9]+$"))
        column = pc.if_else(pa.array(fits), column, "0")
    numbers = column.cast(pa.int64())
    return numbers, fits & (numbers.to_numpy() <= highest)


def _without_zero_fractions(block: pa.RecordBatch, records: Slice, places: slice) -> tuple[pa.RecordBatch, Flags]:
    """Replace counts written as 5.0 by digits alone, and return a mask of the records that have such counts.

    The parser also returns 5.0 for numbers that are merely close to it, so the record's text is checked.
    """
    is_spelled = np.zeros(len(block), np.bool_)
    for name in ("count", "count_total"):
        column = block[name]
        if column.null_count == len(block):
            continue
        has_point = _flags(pc.match_substring_regex(column, r"^[0-9]+\.0$").fill_null(False))
        if not has_point.any():
            continue
        found = np.flatnonzero(has_point)
        pattern = rf'"{name}"[ \t\r\n]*:[ \t\r\n]*[0-9]+\.0+[ \t\r\n]*[,}}]'
        lines = pa.array([records.raw(places.start + place) for place in found.tolist()], pa.binary())
        has_point[found] = _flags(pc.match_substring_regex(lines, pattern))
        whole = pc.replace_substring(column, ".0", "", max_replacements=1)
        index = block.schema.get_field_index(name)
        block = block.set_column(index, name, pc.if_else(pa.array(has_point), whole, column))
        is_spelled |= has_point
    return block, is_spelled


def _quoted(column: pa.StringArray) -> npt.NDArray[np.int8]:
    """Per record, 1 if the JSON value in the column is a text."""
    if column.null_count == len(column):
        return np.zeros(len(column), np.int8)
    return _flags(pc.starts_with(column, '"').fill_null(False)).astype(np.int8)


def _between(column: pa.Array, lowest: float, highest: float) -> Flags:
    values: npt.NDArray[np.float64] | npt.NDArray[np.int64] = column.to_numpy()
    return (values >= lowest) & (values <= highest)


def _present(block: pa.RecordBatch, names: Sequence[str]) -> npt.NDArray[np.int8]:
    """Per record, how many of these fields are present."""
    counts = np.zeros(len(block), np.int8)
    for name in names:
        column = block[name]
        if not column.null_count:
            counts += 1
        elif column.null_count < len(column):
            counts += _flags(column.is_valid())
    return counts


def _flags(column: pa.BooleanArray) -> Flags:
    flags: Flags = column.to_numpy(zero_copy_only=False)
    return flags


def _microseconds(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(microseconds=1)


def _storable(name: str) -> str:
    """A folder's name, or, if it has bytes that are not UTF-8, a blank, which is never plain."""
    return name if name.isascii() or visible(name) == name else ""
