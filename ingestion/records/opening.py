"""From fetched objects to slices of their records: unpacking, decoding, framing and size limits.

Rejects what cannot be judged: an object that cannot be opened, the part that a tear cut, and a record that is too
large. Knows nothing about what the records mean.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from ingestion.bucket import FetchedObject, ObjectReplaced
from ingestion.records.blocks import DOCUMENT_BYTES, KEPT_OF_HUGE_RECORD, read_in_blocks
from ingestion.records.encoding import Text, is_plain
from ingestion.records.framing import begins_as_lines, has_more_elements, one_value
from ingestion.records.read_objects import ReadObjects
from ingestion.records.slices import ELEMENTS_AT_ONCE, Elements, Lines, Piece, Slice, count_of, in_elements, join_pieces
from ingestion.records.unpacking import Undecodable, Unpacked, ZeroFilled, compression_of
from ingestion.records.values import Reader, Tear, trimmed
from ingestion.settings import Settings

# Unpacked objects up to this size are held whole; larger ones are read in blocks of lines.
HELD_BYTES = 64 * 1024 * 1024


Pieces: TypeAlias = Callable[[FetchedObject], Iterator[bytes]]


def open_slices(
    objects: Iterable[FetchedObject], pieces: Pieces, settings: Settings, result: ReadObjects
) -> Iterator[tuple[Slice, list[int]]]:
    """The objects' records, with the places of those already rejected; `result` counts all of them.

    `pieces` returns the content of an object that was fetched without it.

    Raises:
        ObjectReplaced: such an object has been replaced since it was fetched; `result` must not be used.
    """
    opened = _Opened(pieces, settings, result)
    for records in join_pieces(opened.records(objects), opened.read_exactly):
        if len(records):
            first = int(records.object_indexes.min())
            for index, count in enumerate(np.bincount(records.object_indexes - first).tolist(), first):
                result.source_counts[index] += count
            yield records, _reject_huge(records, settings.max_record_bytes, result)


@dataclass(slots=True)
class _Opened:
    """The objects that are being read."""

    pieces: Pieces
    settings: Settings
    result: ReadObjects

    def records(self, objects: Iterable[FetchedObject]) -> Iterator[Piece]:
        for fetched in objects:
            index = self.result.add(fetched)
            try:
                yield from self._records(index, _Source(fetched, self.pieces, self.settings))
            except Undecodable as error:
                self._reject(index, str(error))

    def read_exactly(self, index: int, text: bytes, line: int, tear: Tear) -> Iterator[Elements]:
        """The values of some lines that a slice found not to be one object each."""
        reader = Reader(line)
        yield from in_elements(index, reader.read(text, True, tear))
        if reader.is_torn and tear is Tear.ARRAY:
            self._reject(index, _torn(self.result.objects[index].size, [_NO_END]))

    def _reject(self, index: int, sentence: str) -> None:
        self.result.source_counts[index] += 1
        self.result.reject(index, 0, 1, "malformed_json", sentence, None)

    def _records(self, index: int, source: _Source) -> Iterator[Piece]:
        """The records of an object, which is held whole or, if it is large, read in blocks.

        A large object is read twice: first to check that all of it can be read, then to return its records.
        """
        content = source.held(HELD_BYTES)
        if content is None:
            start = next(iter(source.parts()), b"")
            if not begins_as_lines(start[:_START_BYTES]):
                content = source.held(DOCUMENT_BYTES)
        if content is None:
            reader = Reader()
            self._refuse_many(sum(_most_records(one) for one in self._in_blocks(index, source, Reader())))
            try:
                yield from self._in_blocks(index, source, reader)
            except Undecodable as error:  # the first pass opened the same bytes
                raise ObjectReplaced(source.fetched.key) from error
        else:
            reader = Reader()
            yield from self._held(index, content, reader, source.tear)
        tears = [*source.tears, *([_NO_END] if reader.is_torn and source.tear is Tear.ARRAY else [])]
        if tears:
            self._reject(index, _torn(source.fetched.size, tears))

    def _in_blocks(self, index: int, source: _Source, reader: Reader) -> Iterator[Piece]:
        return read_in_blocks(index, source.parts(), lambda: source.tear, reader, self.settings.max_record_bytes)

    def _held(self, index: int, content: bytes, reader: Reader, tear: Tear) -> Iterator[Piece]:
        if begins_as_lines(content):
            lines = Lines(index, content, 1, tear)
            if len(content) > self.settings.max_object_records:  # a record has at least one byte
                self._refuse_many(_most_records(lines))
            yield lines
            return
        most = self.settings.max_object_records
        self._refuse_many(most + has_more_elements(content, most))
        text = trimmed(content)
        whole = one_value(text)
        if whole is None:
            if _most_records(Lines(index, content, 1)) > most:
                self._refuse_many(sum(1 for _ in Reader().read(content, True, tear)) if text else most + 1)
            yield from in_elements(index, reader.read(content, True, tear))
            return
        for first in range(0, len(whole.raws), ELEMENTS_AT_ONCE):
            share = slice(first, first + ELEMENTS_AT_ONCE)
            yield Elements(index, whole.raws[share], whole.positions[share])

    def _refuse_many(self, records: int) -> None:
        most = self.settings.max_object_records
        if records > most:
            raise Undecodable(f"The object has more than {most:,} records, the maximum.")


_NO_END = "its last array has no end"
_START_BYTES = 4 * 1024 * 1024


def _most_records(piece: Piece) -> int:
    """An upper bound on a piece's records and lines: counts everything that may begin one."""
    if isinstance(piece, Elements):
        return len(piece.raws)
    text = piece.text
    lines = count_of(text, "\n") + (not text.endswith(b"\n"))
    return max(lines, count_of(text, "{")) + (count_of(text, ",") if b"[" in text else 0)


def _torn(size: int, tears: list[str]) -> str:
    return (
        f"The object of {size:,} bytes is torn: {' and '.join(tears)}. "
        "The records before the tear are read, the rest is lost."
    )


class _Source:
    """The text of one object, which may be read more than once, and what reading it has revealed.

    `tears` describes what ends too early in the object; it is final after the last part.
    """

    def __init__(self, fetched: FetchedObject, pieces: Pieces, settings: Settings) -> None:
        self.fetched = fetched
        self.tears: list[str] = []
        self._pieces = pieces
        self._max_bytes = settings.max_object_bytes
        self._fault_at: int | None = None
        if fetched.content is None and fetched.size > settings.max_object_bytes:
            raise Undecodable(f"The object has {fetched.size:,} bytes; at most {self._max_bytes:,} are read.")

    @property
    def tear(self) -> Tear:
        """What the end of the text may have cut off."""
        return Tear.ANYTHING if self.tears else Tear.ARRAY

    def held(self, max_bytes: int) -> bytes | None:
        """The whole text, or None if it is too long to hold. It is read to its end in any case."""
        content = self.fetched.content
        if content is not None and compression_of(content[:4]) is None and is_plain(content):
            return content if len(content) <= max_bytes else None
        kept: list[bytes] = []
        size = 0
        try:
            for part in self.parts():
                size += len(part)
                if size <= max_bytes:
                    kept.append(part)
                else:
                    kept.clear()
        except ZeroFilled as fault:
            self._fault_at = fault.fault_at
            return self.held(max_bytes)
        except Undecodable:
            if content is None:  # verifies that the object still has the known etag
                deque(self._pieces(self.fetched), maxlen=0)
            raise
        return b"".join(kept) if size <= max_bytes else None

    def parts(self) -> Iterator[bytes]:
        content = self.fetched.content
        unpacked = Unpacked(
            self._pieces(self.fetched) if content is None else [content], self._max_bytes, self._fault_at
        )
        text = Text(_opened(unpacked))
        yield from text
        zeros = [f"it ends in {text.zeros:,} zero bytes"] if text.zeros else []
        self.tears = [*([unpacked.tear] if unpacked.tear else []), *zeros]


def _opened(unpacked: Unpacked) -> Iterator[bytes]:
    try:
        yield from unpacked
    except Undecodable as error:
        raise Undecodable(f"The object cannot be decompressed: {error}.") from error


def _reject_huge(records: Slice, max_bytes: int, result: ReadObjects) -> list[int]:
    """Reject records above the size limit with the start of their text, and return their places."""
    huge = []
    for place in np.flatnonzero(np.diff(records.bounds) > max_bytes).tolist():
        raw = records.raw(place)
        if len(raw) > max_bytes:
            huge.append(place)
            detail = f"The record has more than {max_bytes:,} bytes, the maximum. Its text is cut."
            payload = raw[:KEPT_OF_HUGE_RECORD].decode("utf-8", errors="replace")
            index, position = int(records.object_indexes[place]), int(records.positions[place])
            result.reject(index, position, int(records.parts[place]), "malformed_json", detail, payload)
    return huge
