"""Reads a large object's records block by block, so that memory does not grow with the object.

Of a record above the size limit only the start is kept. Knows nothing about what a record means.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain

from ingestion.records.slices import Elements, Lines, Piece, in_elements, last_boundary
from ingestion.records.unpacking import Undecodable
from ingestion.records.values import JSON_WHITE_SPACE, Reader, Tear, trimmed

BLOCK_BYTES = 32 * 1024 * 1024
# An array, or another value that spans lines, can only be read as a whole.
DOCUMENT_BYTES = 256 * 1024 * 1024
# Bytes kept of a record that is too large: enough to see where it comes from.
KEPT_OF_HUGE_RECORD = 4096


def read_in_blocks(
    index: int, parts: Iterable[bytes], tear: Callable[[], Tear], reader: Reader, max_record_bytes: int
) -> Iterator[Piece]:
    """The records of object `index`, whose text comes in parts. `tear` is called after the last part.

    Raises:
        Undecodable: a value is too long to be read.
    """
    waiting: list[bytes] = []
    size, wanted = 0, BLOCK_BYTES
    is_passing = False  # inside the rest of a line that is too long
    for part in chain(parts, [None]):
        if part is not None:
            waiting.append(part)
            size += len(part)
            if size < wanted:
                continue
        text = b"".join(waiting)
        if is_passing:
            line_end = text.find(b"\n")
            is_passing = line_end < 0
            reader.skip_to(text, len(text) if is_passing else line_end)
            text = text[reader.at :]
        end = len(text) if part is None else last_boundary(text)
        if end and reader.begins_line:
            yield Lines(index, text[:end], reader.line, tear() if part is None else Tear.NOTHING)
            reader.skip_to(text, end)
        elif end:
            yield from in_elements(index, reader.read(text[:end], True, tear() if part is None else Tear.NOTHING))
            reader.at = end
        else:
            yield from in_elements(index, reader.read(text, is_end=False))
        rest = text[reader.at :]
        if part is not None and len(rest) >= BLOCK_BYTES:
            rest, given_up = _bounded(index, rest, reader, max_record_bytes)
            if given_up is not None:
                yield given_up
                is_passing = True
        waiting, size = [rest], len(rest)
        wanted = max(BLOCK_BYTES, 2 * size)


def _bounded(index: int, rest: bytes, reader: Reader, max_record_bytes: int) -> tuple[bytes, Elements | None]:
    """The kept part of a text in which an unfinished value begins, and the record that is given up, if any."""
    start = rest.lstrip(JSON_WHITE_SPACE)
    longest = max(max_record_bytes, KEPT_OF_HUGE_RECORD)
    if start[:1] in (b"{", b"["):
        if len(rest) <= DOCUMENT_BYTES:
            return rest, None
        if start[:1] == b"[" or start.find(b"\n", 0, longest + 1) >= 0:
            raise Undecodable(f"The object is one JSON document; at most {DOCUMENT_BYTES:,} bytes of one are read.")
    elif len(shorter := trimmed(rest)) <= longest:
        return shorter + b" ", None  # the rest is white space, which may continue
    reader.skip_to(rest, len(rest) - len(start))
    value = reader.give_up(start[: longest + 1])
    return b"", Elements(index, [value.raw], [value.line], [value.part])
