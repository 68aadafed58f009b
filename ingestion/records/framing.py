"""From an object's bytes to its records' bytes, by the contract's §1: unpacking, one JSON value, array or JSON Lines.

What a record means is judged in `contract.py`; nothing here knows a field's name.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

import msgspec
import zstandard

from ingestion.records.json_faults import why_not_json

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
JSON_WHITE_SPACE = b" \t\r\n"

# Python's JSON scanner recurses; a record nested deeper than this is refused instead of risking the stack.
MAX_NESTING = 256
# What a zstandard frame may ask for at once; the format's tools refuse more as well unless told otherwise.
_MAX_WINDOW_BYTES = 128 * 1024 * 1024
_PART_BYTES = 4 * 1024 * 1024
_INPUT_BYTES = 256 * 1024
_TOO_DEEP = f"it is nested deeper than {MAX_NESTING} levels"

_array_of_slices = msgspec.json.Decoder(list[msgspec.Raw])
_plain_object = msgspec.json.Decoder(dict[str, str | float | None])
_ARRAY = re.compile(rb"(?:\xef\xbb\xbf)?[ \t\r\n]*\[")
_NOT_BLANK = re.compile(rb"[^ \t\r\n]")
# A string (one without its end runs to the end of the text, so that the search stays linear), a bracket or a comma.
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*+(?:"|\Z|\\\Z)|[\[\]{},]', re.DOTALL)
_DEPTH = {b"[": 1, b"{": 1, b"]": -1, b"}": -1}


class Undecodable(ValueError):
    """The object cannot be decompressed; the text says why."""


class NumberToken(str):
    """A JSON number as it was written: `1.0` and `1` differ for the contract."""


class NotJson(ValueError):
    """The text is not one JSON value; the text says why."""


Bytes = bytes | memoryview


class Records(NamedTuple):
    """Records of one object: where each stands, by the contract's counting, and its bytes trimmed."""

    positions: Sequence[int]
    raws: list[bytes]


def unpack(key: str, content: bytes, max_bytes: int) -> bytes:
    """The object's content, decompressed as its key's ending says; never more than `max_bytes` of it.

    Raises:
        Undecodable: the compressed stream is damaged or incomplete, or unpacks to more than `max_bytes`.
    """
    return b"".join(unpacked(key, [content], max_bytes))


def is_packed(key: str) -> bool:
    """Whether the key's ending says that the content is compressed."""
    return key.endswith((".gz", ".zst"))


def unpacked(key: str, pieces: Iterable[bytes], max_bytes: int) -> Iterator[bytes]:
    """As `unpack`, of a content that comes in pieces, and in parts of some megabytes: no more is ever in memory."""
    parts = iter(pieces)
    if key.endswith(".gz"):
        parts = _decompressed(pieces, lambda: zlib.decompressobj(wbits=31), padding=b"\0")
    elif key.endswith(".zst"):
        parts = _decompressed(pieces, _ZstandardFrame, padding=b"")
    size = 0
    try:
        for part in parts:
            size += len(part)
            if size > max_bytes:
                raise Undecodable(f"it unpacks to more than {max_bytes:,} bytes")
            yield part
    except (EOFError, zlib.error, zstandard.ZstdError) as error:
        raise Undecodable(str(error) or type(error).__name__) from error


class _Member(Protocol):
    """One compressed stream of possibly several, as `zlib.decompressobj` makes it."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    @property
    def unconsumed_tail(self) -> Bytes: ...

    def decompress(self, data: Bytes, max_length: int, /) -> bytes: ...


class _ZstandardFrame:
    """A frame with zlib's calls. The library has no bound on output, so input is given in small pieces."""

    _PIECE = 1024  # bytes; the smallest block has 4 and unpacks to 128 KiB, so that a piece gives 32 MiB at most

    def __init__(self) -> None:
        self._frame = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW_BYTES).decompressobj()
        self._rest = memoryview(b"")

    @property
    def eof(self) -> bool:
        return self._frame.eof

    @property
    def unused_data(self) -> bytes:
        return b"".join((self._frame.unused_data, self._rest)) if self.eof else b""

    @property
    def unconsumed_tail(self) -> Bytes:
        return b"" if self.eof else self._rest

    def decompress(self, data: Bytes, _: int, /) -> bytes:
        self._rest = memoryview(data)[self._PIECE :]
        return self._frame.decompress(data[: self._PIECE])


def _decompressed(pieces: Iterable[bytes], start: Callable[[], _Member], padding: bytes) -> Iterator[bytes]:
    """All streams, one after the other, without the padding that the format allows between them."""
    member: _Member | None = None
    is_first = True
    for piece in _chopped(pieces):
        rest: Bytes = piece
        while len(rest):
            if member is None:
                rest = rest if is_first else bytes(rest).lstrip(padding)
                member = start() if len(rest) else None
                is_first = False
            if member is not None:
                yield member.decompress(rest, _PART_BYTES)
                rest = member.unused_data if member.eof else member.unconsumed_tail
                member = None if member.eof else member
    while member is not None:
        part = member.decompress(b"", _PART_BYTES)  # what it held back, as the part before was full
        yield part
        if not part and not member.eof:
            raise EOFError("the compressed stream ends before its end marker")
        member = None if member.eof else member


def _chopped(pieces: Iterable[bytes]) -> Iterator[Bytes]:
    """What is left of its input a decompressor copies at each step, so that it gets little at once."""
    for piece in pieces:
        for at in range(0, len(piece), _INPUT_BYTES):
            yield memoryview(piece)[at : at + _INPUT_BYTES]


def parse_json(raw: bytes) -> object:
    """One JSON value, strictly by RFC 8259, numbers as `NumberToken`. The last of two members of one name counts.

    Raises:
        NotJson: not UTF-8, not one JSON value, or nested deeper than `MAX_NESTING`.
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotJson(f"it is not UTF-8 from its byte {error.start + 1} on") from error
    try:
        value: object = _decoder.decode(text.strip(" \t\r\n"))
    except ValueError as error:
        raise NotJson(why_not_json(error)) from error
    except RecursionError as error:
        raise NotJson(_TOO_DEEP) from error
    # Looked at last, as it costs more than the parsing: most of what comes here is refused before.
    if (raw.count(b"[") + raw.count(b"{")) > MAX_NESTING and _nesting(raw) > MAX_NESTING:
        raise NotJson(_TOO_DEEP)
    return value


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not a JSON number")


# Made once, as that takes as long as reading a record.
_decoder = json.JSONDecoder(parse_float=NumberToken, parse_int=NumberToken, parse_constant=_refuse_constant)


def _nesting(raw: bytes) -> int:
    """The deepest nesting of brackets outside of strings."""
    deepest = depth = 0
    for token in _TOKEN.finditer(raw):
        depth += _DEPTH.get(token.group()[:1], 0)
        deepest = max(deepest, depth)
    return deepest


def split_records(content: bytes) -> Records:
    """The records of an unpacked object, in order.

    Content that is one JSON value is that value (position 1) or, for an array, its elements (1-based);
    all else is JSON Lines (1-based line number, blank lines counted and skipped).
    """
    framed = frame(content)
    return framed if isinstance(framed, Records) else _lines(framed)


def frame(content: bytes) -> bytes | Records:
    """As `split_records`, but JSON Lines are not split: the lines without a byte-order mark."""
    content = content.removeprefix(BYTE_ORDER_MARK)
    if begins_as_lines(content) or _NOT_BLANK.search(content) is None:
        return content
    value = content.strip(JSON_WHITE_SPACE)
    elements = _elements(value) if value[:1] == b"[" else None
    if elements is not None:
        return Records(range(1, len(elements) + 1), elements)
    if value[:1] != b"[" and _is_json(value):
        return Records(range(1, 2), [value])
    return content


def begins_as_lines(content: bytes) -> bool:
    """Whether the start of a content shows JSON Lines: a complete first line, and something behind it.

    The common case; the content need not be looked at as a whole. One that begins with an array may still be lines.
    """
    filled = _NOT_BLANK.search(content)
    if filled is None or filled.group() == b"[":
        return False
    line_end = content.find(b"\n", filled.start())
    if line_end < 0 or _NOT_BLANK.search(content, line_end) is None:
        return False
    first = content[filled.start() : line_end].rstrip(JSON_WHITE_SPACE)
    return _is_plain_object(first) or _is_json(first)


def holds_objects_as_lines(content: bytes) -> bool:
    """Whether the start of a content that is too long to be one document is meant as JSON Lines, some of them bad."""
    return not content.lstrip(JSON_WHITE_SPACE).startswith(b"[") and any(
        map(_is_plain_object, content.split(b"\n", 1000)[:1000])
    )


def _is_plain_object(raw: bytes) -> bool:
    """Whether this is a JSON object of texts and numbers, at a tenth of what the exact parser costs."""
    try:
        _plain_object.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return True


def _lines(content: bytes) -> Records:
    raws = [line.strip(JSON_WHITE_SPACE) for line in content.split(b"\n")]
    if not raws[-1]:
        raws.pop()  # what follows the last line's end
    if all(raws):
        return Records(range(1, len(raws) + 1), raws)
    filled = [(position, raw) for position, raw in enumerate(raws, 1) if raw]
    return Records([position for position, _ in filled], [raw for _, raw in filled])


def _is_json(raw: bytes) -> bool:
    try:
        parse_json(raw)
    except NotJson:
        return False
    return True


def has_more_elements(content: bytes, most: int) -> bool:
    """Whether a content is an array of more elements than `most`, told without holding any of them."""
    if _ARRAY.match(content) is None or content.count(b",") < most:  # the common case, at the speed of memory
        return False
    depth, elements = 0, 1
    for token in _TOKEN.finditer(content):
        mark = token.group()[:1]
        depth += _DEPTH.get(mark, 0)
        elements += mark == b"," and depth == 1
        if elements > most or depth == 0:
            break
    return elements > most


def _elements(value: bytes) -> list[bytes] | None:
    """The slices of an array's elements, or None where the value is not one JSON array."""
    try:
        value.decode("utf-8")
    except UnicodeDecodeError:
        return None
    try:
        return [bytes(element) for element in _array_of_slices.decode(value)]
    except (msgspec.DecodeError, RecursionError):
        return _elements_exactly(value)


def _elements_exactly(value: bytes) -> list[bytes] | None:
    """As `_elements`, for arrays that the fast slicer refuses, for a lone surrogate in a string or for their depth.

    An element nested too deep is given as it is, to be refused by itself and not with its neighbours.
    """
    slices: list[bytes] = []
    depth, start = 0, 1
    for token in _TOKEN.finditer(value):
        mark = value[token.start() : token.start() + 1]
        if mark == b"," and depth == 1:
            slices.append(value[start : token.start()])
            start = token.end()
        depth += _DEPTH.get(mark, 0)
        if depth == 0 and mark != b'"':
            break
    if depth != 0 or token.end() != len(value) or value[-1:] != b"]":
        return None
    slices = [element.strip(JSON_WHITE_SPACE) for element in [*slices, value[start:-1]]]
    if slices == [b""]:
        return []
    return slices if all(_is_json(element) or _nesting(element) > MAX_NESTING for element in slices) else None
