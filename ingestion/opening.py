"""From fetched objects to slices of their records: unpacking, framing, and the limits on what is read.

What is rejected here, nobody can judge: an object that cannot be opened, a record that is too large. What the records
of an object mean is not known here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from ingestion.bucket import FetchedObject
from ingestion.framing import Undecodable, frame, unpack
from ingestion.settings import Settings
from ingestion.slices import Elements, Lines, Piece, Slice, join_pieces

# Enough of a record that is too large to see where it comes from, in bytes.
KEPT_OF_HUGE_RECORD = 4096


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
    """Some objects' records. `object_index` counts the objects in the order given, from 0.

    `accepted` gives rows, each lot to be used before the next is asked for; all else is complete when it has ended.
    """

    accepted: Iterable[pa.Table] = ()
    objects: list[FetchedObject] = field(default_factory=list)
    record_counts: list[int] = field(default_factory=list)  # per object
    unexpected_fields: list[set[str]] = field(default_factory=list)  # per object
    rejected: list[RejectedRecord] = field(default_factory=list)

    def add(self, fetched: FetchedObject) -> int:
        """One object more, of which nothing is read yet; gives its index."""
        self.objects.append(fetched.light())
        self.record_counts.append(0)
        self.unexpected_fields.append(set())
        return len(self.objects) - 1

    def reject(self, object_index: int, position: int, reason: str, detail: str, payload: str | None) -> None:
        """Note a rejected record."""
        self.rejected.append(RejectedRecord(object_index, position, reason, detail, payload))


def open_slices(
    objects: Iterable[FetchedObject], settings: Settings, result: ReadObjects
) -> Iterator[tuple[Slice, list[int]]]:
    """The objects' records, and the places of those that are rejected already; `result` counts them all."""
    for records in join_pieces(_pieces(objects, settings.max_object_bytes, result)):
        if len(records):
            first = int(records.object_indexes.min())
            for index, count in enumerate(np.bincount(records.object_indexes - first).tolist(), first):
                result.record_counts[index] += count
            yield records, _reject_huge(records, settings.max_record_bytes, result)


def _pieces(objects: Iterable[FetchedObject], max_bytes: int, result: ReadObjects) -> Iterator[Piece]:
    for fetched in objects:
        index = result.add(fetched)
        try:
            framed = frame(_content(fetched, max_bytes))
        except Undecodable as error:
            result.record_counts[index] += 1
            result.reject(index, 0, "malformed_json", str(error), None)
            continue
        if isinstance(framed, bytes):
            yield Lines(index, framed, 1)
        else:
            yield Elements(index, framed.raws, framed.positions)


def _content(fetched: FetchedObject, max_bytes: int) -> bytes:
    if fetched.content is None:
        raise Undecodable(f"The object has {fetched.size:,} bytes; at most {max_bytes:,} are read.")
    try:
        return unpack(fetched.key, fetched.content, max_bytes)
    except Undecodable as error:
        raise Undecodable(f"The object cannot be decompressed: {str(error).rstrip('.')}.") from error


def _reject_huge(records: Slice, max_bytes: int, result: ReadObjects) -> list[int]:
    """The places of records beyond the limit, which are rejected with the start of their text."""
    huge = []
    for place in np.flatnonzero(np.diff(records.bounds) > max_bytes).tolist():
        raw = records.raw(place)
        if len(raw) > max_bytes:
            huge.append(place)
            detail = f"The record has {len(raw):,} bytes; at most {max_bytes:,} are read. Its text is cut."
            payload = raw[:KEPT_OF_HUGE_RECORD].decode("utf-8", errors="replace")
            index, position = int(records.object_indexes[place]), int(records.positions[place])
            result.reject(index, position, "malformed_json", detail, payload)
    return huge
