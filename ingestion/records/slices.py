"""From fetched objects to slices: the records of many objects, one after the other in one text, each with its place.

Where a record begins is found for all lines of a slice at once, from the places of the line feeds. What a record means
is not known here; what an object's content is (one value, an array, lines) is decided in `framing.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ingestion.records.framing import JSON_WHITE_SPACE

# Parsing a slice costs some milliseconds however small it is; a larger one keeps the stages waiting for each other.
SLICE_BYTES = 32 * 1024 * 1024
# The first ones are smaller, so that the stages behind have something to do soon.
_FIRST_BYTES = SLICE_BYTES // 4
# What is known of a record takes some hundred bytes beside its own; no event has less than a hundred.
SLICE_RECORDS = 250_000
_BLOCK = 1 << 18  # bytes looked at in one go: they and the mask stay in the processor's cache
_LINE_FEED = ord("\n")

Integers = npt.NDArray[np.int64]


class _TooManyRecords(Exception):
    """A slice would have more than `SLICE_RECORDS`."""


class Lines(NamedTuple):
    """Whole lines of one object, the first of them with its number, counted from 1."""

    object_index: int
    text: bytes
    first_position: int


class Elements(NamedTuple):
    """Records of one object that are not lines, trimmed, each with its position."""

    object_index: int
    raws: Sequence[bytes]
    positions: Sequence[int]


Piece = Lines | Elements


@dataclass(frozen=True, slots=True)
class Slice:
    """Records of some objects. Record `place` is `text[bounds[place]:bounds[place + 1]]`, white space around it."""

    text: bytes
    bounds: Integers  # one more than there are records
    object_indexes: npt.NDArray[np.int32]
    positions: Integers

    def __len__(self) -> int:
        return len(self.positions)

    def torn(self) -> Integers:
        """The places of records that do not begin and end as an object does: of most that are no JSON."""
        starts, ends = self.bounds[:-1], self.bounds[1:] - 2  # before the line feed
        codes = np.frombuffer(self.text, np.uint8)
        begins = (codes[starts] == ord("{")) & (codes.take(starts + 1, mode="clip") == ord('"'))
        return np.flatnonzero(~begins | (codes[ends] != ord("}")))

    def raw(self, place: int) -> bytes:
        """A record's own bytes."""
        return self.text[self.bounds[place] : self.bounds[place + 1]].strip(JSON_WHITE_SPACE)


def join_pieces(pieces: Iterable[Piece]) -> Iterator[Slice]:
    """The pieces' records in slices of about `SLICE_BYTES`, never much more than that and the largest piece.

    Until it is reached, a slice is as large as all before it. Many short records make smaller ones.
    """
    waiting: list[Piece] = []
    size, joined = 0, 0
    for piece in pieces:
        own = len(piece.text) if isinstance(piece, Lines) else sum(map(len, piece.raws))
        if waiting and size + own > min(SLICE_BYTES, max(joined, _FIRST_BYTES)):
            yield from _slices(waiting)
            joined += size
            waiting, size = [], 0
        waiting.append(piece)
        size += own
    if waiting:
        yield from _slices(waiting)


def _slices(pieces: list[Piece]) -> Iterator[Slice]:
    """One slice, or halves where that has too many records."""
    try:
        joined = _join(pieces)
    except _TooManyRecords:
        middle = len(pieces) // 2
        for half in [pieces[:middle], pieces[middle:]] if middle else _halves(pieces[0]):
            yield from _slices(half)
    else:
        yield joined


def _halves(piece: Piece) -> list[list[Piece]]:
    """A piece of many records as two."""
    index = piece.object_index
    if isinstance(piece, Elements):
        middle = len(piece.raws) // 2
        shares = slice(middle), slice(middle, None)
        return [[Elements(index, piece.raws[share], piece.positions[share])] for share in shares]
    middle = len(piece.text) // 2
    end = (piece.text.find(b"\n", middle) + 1) % len(piece.text) or piece.text.rfind(b"\n", 0, middle) + 1
    first, second = piece.text[:end], piece.text[end:]
    second_position = piece.first_position + first.count(b"\n")
    return [[Lines(index, first, piece.first_position)], [Lines(index, second, second_position)]]


def _join(pieces: list[Piece]) -> Slice:
    lines = [piece for piece in pieces if isinstance(piece, Lines) and piece.text]
    elements = [piece for piece in pieces if isinstance(piece, Elements)]
    raws = [raw for piece in elements for raw in piece.raws]
    if len(raws) > SLICE_RECORDS:
        raise _TooManyRecords
    parts = [part for piece in lines for part in (piece.text, b"" if piece.text.endswith(b"\n") else b"\n") if part]
    sizes = [len(piece.text) + (not piece.text.endswith(b"\n")) for piece in lines]
    text = b"".join(parts) if not raws else b"".join([*parts, *(part for raw in raws for part in (raw, b"\n"))])

    end_of_lines = sum(sizes)
    starts = _starts_of_lines(text, end_of_lines)
    first_lines = np.searchsorted(starts, np.cumsum([0, *sizes]))  # of each piece, and where the last one ends
    counts = np.diff(first_lines)
    numbers = np.arange(len(starts)) + np.repeat(
        np.array([piece.first_position for piece in lines], np.int64) - first_lines[:-1], counts
    )
    filled = _filled(text, starts, end_of_lines)

    ends_of_raws = end_of_lines + np.cumsum([len(raw) + 1 for raw in raws], dtype=np.int64)
    starts_of_raws = np.concatenate([[end_of_lines], ends_of_raws[:-1]]) if raws else ends_of_raws
    return Slice(
        text,
        # A blank line becomes white space behind the record before it.
        np.concatenate([starts[filled], starts_of_raws, [len(text)]]),
        np.concatenate(
            [
                np.repeat(np.array([piece.object_index for piece in lines], np.int32), counts)[filled],
                np.repeat(
                    np.array([piece.object_index for piece in elements], np.int32),
                    [len(piece.raws) for piece in elements],
                ),
            ]
        ),
        np.concatenate([numbers[filled], *(np.asarray(piece.positions, np.int64) for piece in elements)]),
    )


def _starts_of_lines(text: bytes, end: int) -> Integers:
    """Where the lines before `end` begin; the last of them has its line feed at `end - 1`."""
    codes = np.frombuffer(text, np.uint8, count=end)
    feeds: list[Integers] = []
    found = 0
    for at in range(0, end, _BLOCK):
        feeds.append(np.flatnonzero(codes[at : at + _BLOCK] == _LINE_FEED) + at)
        found += len(feeds[-1])
        if found > SLICE_RECORDS:
            raise _TooManyRecords
    starts = np.concatenate([[-1], *feeds])[: -1 if end else 0] + 1
    return starts.astype(np.int64)


def _filled(text: bytes, starts: Integers, end: int) -> npt.NDArray[np.bool_]:
    """Which lines hold more than white space."""
    filled = np.ones(len(starts), np.bool_)
    first_bytes = np.frombuffer(text, np.uint8)[starts] if len(starts) else np.empty(0, np.uint8)
    for line in np.flatnonzero(np.isin(first_bytes, np.frombuffer(JSON_WHITE_SPACE, np.uint8))):
        line_end = int(starts[line + 1]) if line + 1 < len(starts) else end
        filled[line] = bool(text[int(starts[line]) : line_end].strip(JSON_WHITE_SPACE))
    return filled
