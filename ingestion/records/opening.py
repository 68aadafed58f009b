"""From fetched objects to slices of their records: unpacking, framing, and the limits on what is read.

What is rejected here, nobody can judge: an object that cannot be opened, a record that is too large. What the records
of an object mean is not known here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import TypeAlias

import numpy as np

from ingestion.bucket import FetchedObject, ObjectReplaced
from ingestion.records.blocks import blocks_of_lines
from ingestion.records.framing import (
    Undecodable,
    begins_as_lines,
    frame,
    has_more_elements,
    holds_objects_as_lines,
    is_packed,
    unpacked,
)
from ingestion.records.read_objects import ReadObjects
from ingestion.records.slices import Elements, Lines, Piece, Slice, join_pieces
from ingestion.settings import Settings

# Objects up to here, unpacked, are held whole; larger ones are read in blocks of lines.
HELD_BYTES = 64 * 1024 * 1024
# An array or another document of several lines can only be read as a whole, which takes several times its size.
DOCUMENT_BYTES = 256 * 1024 * 1024
ELEMENTS_AT_ONCE = 50_000  # of an array; they are joined to slices again
# Enough of a record that is too large to see where it comes from, in bytes.
KEPT_OF_HUGE_RECORD = 4096


Pieces: TypeAlias = Callable[[FetchedObject], Iterator[bytes]]


def open_slices(
    objects: Iterable[FetchedObject], pieces: Pieces, settings: Settings, result: ReadObjects
) -> Iterator[tuple[Slice, list[int]]]:
    """The objects' records, and the places of those that are rejected already; `result` counts them all.

    `pieces` gives the content of an object that was fetched without it.

    Raises:
        ObjectReplaced: such an object is not the one that was fetched; nothing of `result` is to be used.
    """
    for records in join_pieces(_all_records(objects, pieces, settings, result)):
        if len(records):
            first = int(records.object_indexes.min())
            for index, count in enumerate(np.bincount(records.object_indexes - first).tolist(), first):
                result.record_counts[index] += count
            yield records, _reject_huge(records, settings.max_record_bytes, result)


def _all_records(
    objects: Iterable[FetchedObject], pieces: Pieces, settings: Settings, result: ReadObjects
) -> Iterator[Piece]:
    for fetched in objects:
        index = result.add(fetched)
        try:
            yield from _records(index, fetched, pieces, settings)
        except Undecodable as error:
            result.record_counts[index] += 1
            result.reject(index, 0, "malformed_json", str(error), None)


def _records(index: int, fetched: FetchedObject, pieces: Pieces, settings: Settings) -> Iterator[Piece]:
    """The records of an object, which is held whole or, where it is large, read in blocks of lines.

    A large one is read twice: to see that all of it can be read, before any of it is given, and to give it.
    """
    if fetched.content is None and fetched.size > settings.max_object_bytes:
        raise Undecodable(f"The object has {fetched.size:,} bytes; at most {settings.max_object_bytes:,} are read.")
    content = fetched.content
    if content is None or is_packed(fetched.key):
        content = _whole(fetched, pieces, settings, HELD_BYTES)
    elif len(content) > settings.max_object_records:  # where it is not, it cannot have more
        _refuse_many(content.count(b"\n") > settings.max_object_records, settings)
    if content is None:
        blocks = blocks_of_lines(_parts(fetched, pieces, settings), settings.max_record_bytes)
        first = next(blocks, b"")
        if not begins_as_lines(first):
            content = _whole(fetched, pieces, settings, DOCUMENT_BYTES)
            if content is None and not holds_objects_as_lines(first):
                raise Undecodable(f"The object is one JSON document; at most {DOCUMENT_BYTES:,} bytes of one are read.")
    if content is None:
        yield from _lines(index, fetched, chain([first], blocks))
        return
    _refuse_many(has_more_elements(content, settings.max_object_records), settings)
    framed = frame(content)
    if isinstance(framed, bytes):
        yield Lines(index, framed, 1)
        return
    for first_of_share in range(0, len(framed.raws), ELEMENTS_AT_ONCE):
        share = slice(first_of_share, first_of_share + ELEMENTS_AT_ONCE)
        yield Elements(index, framed.raws[share], framed.positions[share])


def _refuse_many(has_more: bool, settings: Settings) -> None:
    if has_more:
        raise Undecodable(f"The object has more than {settings.max_object_records:,} records, the most that are read.")


def _lines(index: int, fetched: FetchedObject, blocks: Iterable[bytes]) -> Iterator[Lines]:
    position = 1
    try:
        for block in blocks:
            yield Lines(index, block, position)
            position += block.count(b"\n")
    except Undecodable as error:  # what could be opened a moment ago
        raise ObjectReplaced(fetched.key) from error


def _whole(fetched: FetchedObject, pieces: Pieces, settings: Settings, max_bytes: int) -> bytes | None:
    """The whole content, unpacked, or None where it is longer. It is read to its end in any case."""
    kept: list[bytes] = []
    size = lines = 0
    try:
        for part in _parts(fetched, pieces, settings):
            size += len(part)
            lines += part.count(b"\n")
            if size <= max_bytes:
                kept.append(part)
            else:
                kept.clear()
    except Undecodable as error:
        if fetched.content is None:  # is it still the object whose etag is known?
            deque(pieces(fetched), maxlen=0)
        raise Undecodable(f"The object cannot be decompressed: {str(error).rstrip('.')}.") from error
    _refuse_many(lines > settings.max_object_records, settings)
    return b"".join(kept) if size <= max_bytes else None


def _parts(fetched: FetchedObject, pieces: Pieces, settings: Settings) -> Iterator[bytes]:
    source = pieces(fetched) if fetched.content is None else [fetched.content]
    return unpacked(fetched.key, source, settings.max_object_bytes)


def _reject_huge(records: Slice, max_bytes: int, result: ReadObjects) -> list[int]:
    """The places of records beyond the limit, which are rejected with the start of their text."""
    huge = []
    for place in np.flatnonzero(np.diff(records.bounds) > max_bytes).tolist():
        raw = records.raw(place)
        if len(raw) > max_bytes:
            huge.append(place)
            detail = f"The record has more than {max_bytes:,} bytes, the most that is read. Its text is cut."
            payload = raw[:KEPT_OF_HUGE_RECORD].decode("utf-8", errors="replace")
            index, position = int(records.object_indexes[place]), int(records.positions[place])
            result.reject(index, position, "malformed_json", detail, payload)
    return huge
