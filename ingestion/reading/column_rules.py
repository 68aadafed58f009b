"""The contract's rules over whole columns of records: which are plain, and what they become.

A record is plain when what was read of it obeys the rules of the contract's version 1; that nothing else stands in it
is for `proof.py` to show. Every rule here accepts a part of what `contract.py` accepts, with the same values; where the
two could differ (a timestamp written in an unusual way, a number as a text) a record is not plain, and is judged there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.contract.events import (
    DEFAULT_SITE,
    EARLIEST,
    EVENT_TYPES,
    LATEST_AFTER_LANDING,
    MAX_COUNT,
    MAX_IDENTIFIER_LENGTH,
    UNKNOWN,
    VERSION_FIELD,
    Folder,
    visible,
)
from ingestion.reading.column_timestamps import are_plain_timestamps
from ingestion.reading.columns import NUMBERS, TEXTS
from ingestion.reading.text_columns import Flags, bytes_of
from ingestion.records.slices import Slice

# What an accepted record becomes, besides the object that it is of.
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

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_DIGITS = len(str(MAX_COUNT))
# The columns of so many records, and what is made of them, stay in the processor's cache.
_BLOCK_RECORDS = 32_768


@dataclass(frozen=True, slots=True)
class Checked:
    """The records of a slice as `EVENT_COLUMNS`, and what is known of each, all by its place."""

    events: pa.Table
    is_plain: Flags
    members: npt.NDArray[np.int8]  # of the record that were read, other than null
    texts: npt.NDArray[np.int8]  # among them


def check(read: pa.Table, records: Slice, folders: Mapping[int, Folder], landed_at: datetime) -> Checked:
    """The rules applied to a slice's records, `read` as `columns.py` does. `folders` is by the objects' indexes."""
    defaults = _Defaults(folders)
    range_of_time = _microseconds(EARLIEST), _microseconds(landed_at + LATEST_AFTER_LANDING)
    batches: list[pa.RecordBatch] = []
    flags: list[Flags] = []
    members: list[npt.NDArray[np.int8]] = []
    texts: list[npt.NDArray[np.int8]] = []
    first = 0
    for block in read.to_batches(max_chunksize=_BLOCK_RECORDS):
        places = slice(first, first + block.num_rows)
        columns, is_plain = _events(block, defaults.of(records.object_indexes[places]), range_of_time)
        columns["object_index"] = pa.array(records.object_indexes[places])
        columns["position"] = pa.array(records.positions[places])
        batches.append(pa.record_batch([columns[name] for name in EVENT_COLUMNS.names], schema=EVENT_COLUMNS))
        flags.append(is_plain)
        texts.append(_present(block, TEXTS))
        members.append(texts[-1] + _present(block, NUMBERS))
        first = places.stop
    return Checked(
        pa.Table.from_batches(batches), np.concatenate(flags), np.concatenate(members), np.concatenate(texts)
    )


class _Defaults:
    """What stands for identifiers that a record does not give, some of it by its object's key."""

    def __init__(self, folders: Mapping[int, Folder]) -> None:
        self._first = min(folders)
        by_index = [folders.get(index, Folder()) for index in range(self._first, max(folders) + 1)]
        self._sites = pa.array([_storable(folder.site_id or DEFAULT_SITE) for folder in by_index])
        self._cameras = pa.array([_storable(folder.camera_id or UNKNOWN) for folder in by_index])

    def of(self, object_indexes: npt.NDArray[np.int32]) -> dict[str, pa.Array | str]:
        """For records of these objects: one text for all, or one for each; none for what is required."""
        places = pa.array(object_indexes - self._first)
        return {
            "worker_id": "",
            "workstation_id": "",
            "site_id": self._sites.take(places),
            "camera_id": self._cameras.take(places),
            "model_name": UNKNOWN,
            "model_version": UNKNOWN,
        }


def _events(
    block: pa.RecordBatch, defaults: Mapping[str, pa.Array | str], range_of_time: tuple[int, int]
) -> tuple[dict[str, pa.Array], Flags]:
    """The columns of the events, and which of the records obey every rule."""
    columns = {name: block[name] for name in ("event_at", "event_type", "confidence")}
    is_plain = are_plain_timestamps(block["timestamp"])
    # What is no time becomes the year 1970, which is too early.
    is_plain &= _between(block["event_at"].view(pa.int64()).fill_null(0), *range_of_time)
    is_plain &= _flags(pc.is_in(block["event_type"], pa.array(EVENT_TYPES)))
    is_plain &= _between(block["confidence"].fill_null(-1.0), 0, 1)
    for name, default in defaults.items():
        columns[name], fits = _identifiers(block[name], default)
        is_plain &= fits
    columns["unit_count"], fits = _counts(block["count"])
    is_plain &= fits
    if block[VERSION_FIELD].null_count < len(block):
        is_plain &= _flags(pc.equal(block[VERSION_FIELD].fill_null("1"), "1"))
    return columns, is_plain


def _identifiers(column: pa.StringArray, default: pa.Array | str) -> tuple[pa.StringArray, Flags]:
    """The texts trimmed, and which of them are not empty and not too long."""
    if column.null_count:
        column = pc.coalesce(column, default)
    codes, bounds = bytes_of(column)
    # An empty text shows a byte of its neighbour, which does no harm.
    ends = codes.take(np.concatenate([bounds[:-1], bounds[1:] - 1]), mode="clip")
    if (ends == ord(" ")).any():
        column = pc.utf8_trim(column, characters=" ")
        _, bounds = bytes_of(column)
    lengths = np.diff(bounds)
    if lengths.max(initial=0) > MAX_IDENTIFIER_LENGTH:  # in bytes; what counts are characters
        lengths = pc.utf8_length(column).to_numpy()
    return column, (lengths >= 1) & (lengths <= MAX_IDENTIFIER_LENGTH)


def _counts(column: pa.StringArray) -> tuple[pa.Int64Array, Flags]:
    """The numbers, 1 for none, and which of them are whole and in the range."""
    column = column.fill_null("1")
    codes, bounds = bytes_of(column)
    fits = np.diff(bounds) <= _MAX_DIGITS
    digits = codes[bounds[0] : bounds[-1]]
    if not fits.all() or (digits < ord("0")).any() or (digits > ord("9")).any():
        fits &= _flags(pc.match_substring_regex(column, "^[0-9]+$"))
        column = pc.if_else(pa.array(fits), column, "0")
    numbers = column.cast(pa.int64())
    return numbers, fits & (numbers.to_numpy() <= MAX_COUNT)


def _between(column: pa.Array, lowest: float, highest: float) -> Flags:
    values: npt.NDArray[np.float64] | npt.NDArray[np.int64] = column.to_numpy()
    return (values >= lowest) & (values <= highest)


def _present(block: pa.RecordBatch, names: Sequence[str]) -> npt.NDArray[np.int8]:
    """Per record, how many of these fields it has."""
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
    """A folder's name, or the blank that is never plain where it has bytes that are not UTF-8."""
    return name if name.isascii() or visible(name) == name else ""
