"""From fetched objects to slices: the records of many objects, concatenated in one text, each with its place.

The starts of all lines of a slice are found at once from its line feeds. `framing.py` decides whether a content is one
value, an array or lines. Nothing here knows what a record means.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from ingestion.records.values import JSON_WHITE_SPACE, Tear, Value, is_one_value

# A smaller slice still costs some milliseconds to parse; a larger one makes the stages wait for each other.
SLICE_BYTES = 32 * 1024 * 1024
# The first slices are smaller, so that the later stages start soon.
_FIRST_BYTES = SLICE_BYTES // 4
# A record's columns take some hundred bytes in addition to its text; no event has fewer than a hundred bytes.
SLICE_RECORDS = 250_000
_BLOCK = 1 << 18  # bytes scanned at once: they and the mask fit in the processor's cache
_LINE_FEED = ord("\n")
_BRACE, _END_BRACE, _RETURN = ord("{"), ord("}"), ord("\r")
ELEMENTS_AT_ONCE = 50_000  # bytes; pieces are joined to slices again
_MOST_MENDED = 100  # lines of a piece read one by one, if they are more than a quarter of all
_any_value = msgspec.json.Decoder(msgspec.Raw).decode

Integers = npt.NDArray[np.int64]
Codes = npt.NDArray[np.uint8]


class _TooManyRecords(Exception):
    """A slice would have more than `SLICE_RECORDS`."""


class _Irregular(Exception):
    """Lines that are not, or not certainly, one object each: their numbers in a piece, by the piece's number."""

    def __init__(self, lines: dict[int, list[int]]) -> None:
        super().__init__()
        self.lines = lines


class Lines(NamedTuple):
    """Whole lines of one object, expected to be one record each, with the number of the first line (from 1).

    `tear` is what the end of the text may have cut off.
    """

    object_index: int
    text: bytes
    first_position: int
    tear: Tear = Tear.NOTHING


class Elements(NamedTuple):
    """Trimmed records of one object that are not lines, each with its position and part."""

    object_index: int
    raws: Sequence[bytes]
    positions: Sequence[int]
    parts: Sequence[int] | None = None  # None: all are part 1


Piece = Lines | Elements


@dataclass(frozen=True, slots=True)
class Slice:
    """Records of some objects.

    Record `place` is `text[bounds[place]:bounds[place + 1]]`, which may have outer white space.
    """

    text: bytes
    bounds: Integers  # one more than there are records
    object_indexes: npt.NDArray[np.int32]
    positions: Integers
    parts: npt.NDArray[np.int32]  # the number of each record among those that begin on its line

    def __len__(self) -> int:
        return len(self.positions)

    def torn(self) -> Integers:
        """The places of records that do not begin and end as a JSON object does; most invalid JSON is among them."""
        starts, ends = self.bounds[:-1], self.bounds[1:] - 2  # before the line feed
        codes = np.frombuffer(self.text, np.uint8)
        begins = (codes[starts] == ord("{")) & (codes.take(starts + 1, mode="clip") == ord('"'))
        return np.flatnonzero(~begins | (codes[ends] != ord("}")))

    def raw(self, place: int) -> bytes:
        """A record's bytes."""
        return self.text[self.bounds[place] : self.bounds[place + 1]].strip(JSON_WHITE_SPACE)


# Reads some lines of an object value by value. Takes the object's index, the lines, the number of the first one, and
# what their end may have cut off.
ReadExactly = Callable[[int, bytes, int, Tear], Iterator[Elements]]


def in_elements(index: int, values: Iterable[Value]) -> Iterator[Elements]:
    """An object's values, as pieces."""
    values = iter(values)
    while share := list(islice(values, ELEMENTS_AT_ONCE)):
        raws, positions, parts = zip(*share, strict=True)
        yield Elements(index, raws, positions, parts)


def join_pieces(pieces: Iterable[Piece], read_exactly: ReadExactly) -> Iterator[Slice]:
    """The pieces' records in slices of about `SLICE_BYTES`, never much more than that and the largest piece.

    Until that size is reached, each slice is as large as all slices before it. Many short records make smaller slices.
    `read_exactly` reads lines that are not one object each.
    """
    waiting: list[Piece] = []
    size, joined = 0, 0
    for piece in pieces:
        own = len(piece.text) if isinstance(piece, Lines) else sum(map(len, piece.raws))
        if waiting and size + own > min(SLICE_BYTES, max(joined, _FIRST_BYTES)):
            yield from _slices(waiting, read_exactly)
            joined += size
            waiting, size = [], 0
        waiting.append(piece)
        size += own
    if waiting:
        yield from _slices(waiting, read_exactly)


def _slices(pieces: list[Piece], read_exactly: ReadExactly) -> Iterator[Slice]:
    """One slice, or its halves if it has too many records."""
    try:
        joined = _join(pieces)
    except _TooManyRecords:
        middle = len(pieces) // 2
        for half in [pieces[:middle], pieces[middle:]] if middle else _halves(pieces[0], read_exactly):
            yield from _slices(half, read_exactly)
    except _Irregular as irregular:
        mended: list[Piece] = []
        for number, piece in enumerate(pieces):
            lines = irregular.lines.get(number)
            mended += [piece] if lines is None else _mended(piece, lines, read_exactly)  # type: ignore[arg-type]
        if mended:
            yield from _slices(mended, read_exactly)
    else:
        yield joined


def _halves(piece: Piece, read_exactly: ReadExactly) -> list[list[Piece]]:
    """A piece of many records, split in two."""
    index = piece.object_index
    if isinstance(piece, Elements):
        middle = len(piece.raws) // 2
        shares = slice(middle), slice(middle, None)
        return [
            [Elements(index, piece.raws[share], piece.positions[share], piece.parts and piece.parts[share])]
            for share in shares
        ]
    end = last_boundary(piece.text, len(piece.text) // 2) or last_boundary(piece.text)
    if not end:
        elements = list(read_exactly(index, piece.text, piece.first_position, piece.tear))
        return [[one] for one in elements]
    first, second = piece.text[:end], piece.text[end:]
    second_position = piece.first_position + first.count(b"\n")
    return [[Lines(index, first, piece.first_position)], [Lines(index, second, second_position, piece.tear)]]


def _mended(piece: Lines, irregular: list[int], read_exactly: ReadExactly) -> list[Piece]:
    """A piece whose irregular lines (numbers from 0) are read value by value, with the neighbouring lines of such a
    value.

    A value may extend from such a line across neighbouring lines, but not across a boundary.
    """
    text = piece.text
    mended: list[Piece] = []
    done, line = 0, piece.first_position  # offset up to which the text is in pieces, and the line number there
    starts = np.concatenate([[0], np.flatnonzero(np.frombuffer(text, np.uint8) == _LINE_FEED) + 1])
    if len(irregular) > _MOST_MENDED and len(irregular) > len(starts) // 4:
        return list(read_exactly(piece.object_index, text, line, piece.tear))
    for number in irregular:
        start = int(starts[number])
        if start < done:
            continue
        first = last_boundary(text, start + 1) if start else 0
        first = max(first, done)
        end = next_boundary(text, start)
        if first > done:
            mended.append(Lines(piece.object_index, text[done:first], line))
            line += text.count(b"\n", done, first)
        tear = piece.tear if end == len(text) else Tear.NOTHING
        mended += read_exactly(piece.object_index, text[first:end], line, tear)
        line += text.count(b"\n", first, end)
        done = end
    if done < len(text):
        mended.append(Lines(piece.object_index, text[done:], line, piece.tear))
    return mended


def last_boundary(text: bytes, end: int | None = None) -> int:
    """The last offset up to `end` where a line begins that no value extends into; 0 if there is none.

    No value continues from a `}` or `]` that ends a line to a `{` or `[` that begins the next.
    """
    at = len(text) if end is None else end
    while (at := text.rfind(b"\n", 0, at)) > 0:
        if _is_boundary(text, at):
            return at + 1
    return 0


def next_boundary(text: bytes, start: int) -> int:
    """The first boundary after `start`, as in `last_boundary`; the text's end if there is none."""
    at = start
    while (at := text.find(b"\n", at)) >= 0:
        if at + 1 == len(text):
            break
        if _is_boundary(text, at):
            return at + 1
        at += 1
    return len(text)


def _is_boundary(text: bytes, line_feed: int) -> bool:
    before = line_feed - 1 - (text[line_feed - 1 : line_feed] == b"\r")
    return text[before : before + 1] in (b"}", b"]") and text[line_feed + 1 : line_feed + 2] in (b"{", b"[")


def _join(pieces: list[Piece]) -> Slice:
    numbers_of_lines = [number for number, piece in enumerate(pieces) if isinstance(piece, Lines) and piece.text]
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
    # the start of each piece, and the end of the last one
    first_lines = np.searchsorted(starts, np.cumsum([0, *sizes]))
    counts = np.diff(first_lines)
    numbers = np.arange(len(starts)) + np.repeat(
        np.array([piece.first_position for piece in lines], np.int64) - first_lines[:-1], counts
    )
    filled = _filled(text, starts, end_of_lines)
    irregular = _irregular(text, starts, filled, end_of_lines)
    cut = [
        last - 1
        for piece, last in zip(lines, first_lines[1:].tolist(), strict=True)
        if piece.tear is Tear.ANYTHING and not piece.text.endswith(b"\n")
    ]
    if cut:  # such a line is a record only if it is complete
        irregular = np.union1d(irregular, cut)
    if len(irregular):
        of_pieces = np.searchsorted(first_lines, irregular, side="right") - 1
        found: dict[int, list[int]] = {}
        for piece, line in zip(of_pieces.tolist(), irregular.tolist(), strict=True):
            found.setdefault(numbers_of_lines[piece], []).append(line - int(first_lines[piece]))
        raise _Irregular(found)

    ends_of_raws = end_of_lines + np.cumsum([len(raw) + 1 for raw in raws], dtype=np.int64)
    starts_of_raws = np.concatenate([[end_of_lines], ends_of_raws[:-1]]) if raws else ends_of_raws
    return Slice(
        text,
        # A blank line becomes white space after the previous record.
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
        np.concatenate([np.ones(int(filled.sum()), np.int32), *(_parts_of(piece) for piece in elements)]),
    )


def _parts_of(piece: Elements) -> npt.NDArray[np.int32]:
    return np.ones(len(piece.raws), np.int32) if piece.parts is None else np.asarray(piece.parts, np.int32)


def _irregular(text: bytes, starts: Integers, filled: npt.NDArray[np.bool_], end: int) -> Integers:
    """The non-blank lines that are not certainly one object each.

    A line whose only `{` is its first character and whose only `}` is its last is either one object or invalid. For a
    line with more braces a parser decides whether it is one value.
    """
    if not len(starts):
        return np.empty(0, np.int64)
    codes = np.frombuffer(text, np.uint8)
    ends = np.concatenate([starts[1:], [end]]) - 2  # the last byte before the line feed
    ends = ends - (codes.take(ends, mode="clip") == _RETURN)
    is_object = (codes[starts] == _BRACE) & (codes.take(ends, mode="clip") == _END_BRACE)
    doubtful = filled & ~is_object
    for line in np.flatnonzero(doubtful).tolist():
        raw = text[int(starts[line]) : int(starts[line + 1]) if line + 1 < len(starts) else end]
        raw = raw.strip(JSON_WHITE_SPACE)
        doubtful[line] = not (raw[:1] == b"{" and raw[-1:] == b"}" and _is_one(raw))
    objects = int(is_object.sum())
    # If every line looks like an object and there are as many braces as lines, each line has its own pair.
    if objects < filled.sum() or not _has_pairs(codes[:end], objects):
        is_more = np.zeros(len(starts), np.bool_)
        for brace in (_BRACE, _END_BRACE):
            is_more |= np.add.reduceat(codes[:end] == brace, starts, dtype=np.int32) > 1
        for line in np.flatnonzero(filled & ~doubtful & is_more).tolist():
            line_end = int(starts[line + 1]) if line + 1 < len(starts) else end
            doubtful[line] = not _is_one(text[int(starts[line]) : line_end])
    return np.flatnonzero(doubtful)


def _has_pairs(codes: Codes, objects: int) -> bool:
    """Whether there are as many braces of each kind as objects. Each object is known to have one of each.

    Both are counted in one pass, unless there are other characters from `{` on: `|`, `~` or any beyond ASCII.
    """
    if 2 * objects == _count(codes, lambda block: block >= _BRACE):
        return True
    return objects == _count(codes, lambda block: block == _BRACE) == _count(codes, lambda block: block == _END_BRACE)


def _is_one(raw: bytes) -> bool:
    """Whether a line is one JSON value."""
    try:
        _any_value(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return is_one_value(raw.strip(JSON_WHITE_SPACE))
    return True


def _starts_of_lines(text: bytes, end: int) -> Integers:
    """The offsets at which the lines before `end` begin; the last line has its line feed at `end - 1`."""
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


def count_of(text: bytes, character: str) -> int:
    """How often an ASCII character occurs in a text, at a third of the cost of `bytes.count`."""
    return _count(np.frombuffer(text, np.uint8), lambda block: block == ord(character))


def _count(codes: Codes, is_counted: Callable[[Codes], npt.NDArray[np.bool_]]) -> int:
    return sum(int(np.count_nonzero(is_counted(codes[at : at + _BLOCK]))) for at in range(0, len(codes), _BLOCK))


def _filled(text: bytes, starts: Integers, end: int) -> npt.NDArray[np.bool_]:
    """A mask of the lines that contain more than white space."""
    filled = np.ones(len(starts), np.bool_)
    first_bytes = np.frombuffer(text, np.uint8)[starts] if len(starts) else np.empty(0, np.uint8)
    for line in np.flatnonzero(np.isin(first_bytes, np.frombuffer(JSON_WHITE_SPACE, np.uint8))):
        line_end = int(starts[line + 1]) if line + 1 < len(starts) else end
        filled[line] = bool(text[int(starts[line]) : line_end].strip(JSON_WHITE_SPACE))
    return filled
