"""From an object's text to its records' bytes (contract §1): one JSON value, an array, or a sequence of values.

`ingestion/contract` judges what a record means; nothing here knows a field's name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from ingestion.records.json_faults import why_not_json
from ingestion.records.values import JSON_WHITE_SPACE, Reader, Tear, elements_of, is_one_value, trimmed

# Python's JSON scanner recurses; a record nested deeper than this is refused instead of risking the stack.
MAX_NESTING = 256
_TOO_DEEP = f"it is nested deeper than {MAX_NESTING} levels"

_array_of_slices = msgspec.json.Decoder(list[msgspec.Raw])
_plain_object = msgspec.json.Decoder(dict[str, str | float | None])
_ARRAY = re.compile(rb"(?:\xef\xbb\xbf)?[ \t\r\n]*\[")
_NOT_BLANK = re.compile(rb"[^ \t\r\n]")
# A string, a bracket or a comma. An unterminated string runs to the end of the text, so that the search stays linear.
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*+(?:"|\Z|\\\Z)|[\[\]{},]', re.DOTALL)
_DEPTH = {b"[": 1, b"{": 1, b"]": -1, b"}": -1}


class NumberToken(str):
    """A JSON number as it was written, because the contract distinguishes `1.0` from `1`."""


class NotJson(ValueError):
    """The text is not one JSON value; the message says why."""


class Records(NamedTuple):
    """Records of one object: the position of each, counted as in the contract, and its trimmed bytes.

    `parts` numbers the records that begin on one line; None means 1 for all.
    """

    positions: Sequence[int]
    raws: list[bytes]
    parts: Sequence[int] | None = None


def parse_json(raw: bytes) -> object:
    """One JSON value, strictly by RFC 8259, with numbers as `NumberToken`. Of two members with one name the last one
    counts.

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
    # Checked last because it costs more than the parsing, which refuses most bad texts.
    if (raw.count(b"[") + raw.count(b"{")) > MAX_NESTING and _nesting(raw) > MAX_NESTING:
        raise NotJson(_TOO_DEEP)
    return value


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not a JSON number")


# Built once, because building it takes as long as reading a record.
_decoder = json.JSONDecoder(parse_float=NumberToken, parse_int=NumberToken, parse_constant=_refuse_constant)


def _nesting(raw: bytes) -> int:
    """The maximum nesting of brackets outside strings."""
    deepest = depth = 0
    for token in _TOKEN.finditer(raw):
        depth += _DEPTH.get(token.group()[:1], 0)
        deepest = max(deepest, depth)
    return deepest


def split_records(content: bytes) -> Records:
    """The records of an unpacked object, in order (contract §1), without the part that a tear cut.

    A content that is one JSON value gives that value (position 1) or, for an array, its elements (1-based). Any other
    content is read value by value, and the position is the line.
    """
    text = trimmed(content)
    whole = one_value(text)
    if whole is not None:
        return whole
    values = list(Reader().read(content, tear=Tear.ARRAY))
    return Records([one.line for one in values], [one.raw for one in values], [one.part for one in values])


def one_value(text: bytes) -> Records | None:
    """The records of a trimmed text that is one JSON value; None if it is not."""
    if text[:1] == b"[":
        elements = _elements(text)
        return None if elements is None else Records(range(1, len(elements) + 1), elements, None)
    return Records(range(1, 2), [text], None) if text and (_is_plain_object(text) or is_one_value(text)) else None


def begins_as_lines(content: bytes) -> bool:
    """Whether the start of a content shows JSON Lines: a complete first line, and something after it.

    This is the common case and avoids scanning the whole content. A content that begins with an array may still be
    lines.
    """
    filled = _NOT_BLANK.search(content)
    if filled is None or filled.group() == b"[":
        return False
    line_end = content.find(b"\n", filled.start())
    if line_end < 0 or _NOT_BLANK.search(content, line_end) is None:
        return False
    first = content[filled.start() : line_end].rstrip(JSON_WHITE_SPACE)
    return _is_plain_object(first) or is_one_value(first)


def _is_plain_object(raw: bytes) -> bool:
    """Whether this is a JSON object of texts and numbers, at a tenth of the exact parser's cost."""
    try:
        _plain_object.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return True


def has_more_elements(content: bytes, most: int) -> bool:
    """Whether a content is an array of more than `most` elements, found without holding any of them."""
    if _ARRAY.match(content) is None or content.count(b",") < most:  # the common case, which is fast
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
    """The slices of an array's elements, or None if the value is not one JSON array."""
    try:
        value.decode("utf-8")
    except UnicodeDecodeError:
        return None
    try:
        return [bytes(element) for element in _array_of_slices.decode(value)]
    except (msgspec.DecodeError, RecursionError):
        return elements_of(value)  # for instance a lone surrogate in a text, or deep nesting
