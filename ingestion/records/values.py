"""Splits a JSON text into its values (contract §1): where each begins and ends, its line and its part.

Applies the grammar of RFC 8259 to bytes, for text that is not one single value. Knows nothing about a value's meaning.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
JSON_WHITE_SPACE = b" \t\r\n"
# Deeper nesting is not followed, and its lines count as invalid. The limit for a record is much lower (parse_json).
MAX_OPEN = 1_000_000

_S = rb"[ \t\r\n]*+"
_STRING = rb'"(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}))*+"'
_NUMBER = rb"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+(?:[eE][-+]?[0-9]++)?+"
_SCALAR = rb"(?:" + _STRING + rb"|" + _NUMBER + rb"|true|false|null)"
_MEMBER = _STRING + _S + rb":" + _S + _SCALAR + _S + rb'(?:,[ \t\r\n]*+(?=")|(?=\}))'

_scalar = re.compile(_SCALAR).match
_flat_object = re.compile(rb"\{" + _S + rb"(?:" + _MEMBER + rb")*+\}").match  # nothing nested, as in events
_token = re.compile(_S + rb"(?:(" + _STRING + rb")|(" + _NUMBER + rb"|true|false|null)|([\[\]{}:,]))").match
_white_space = re.compile(_S).match
_gap = re.compile(rb"(?:[ \t\r\n]++|\xef\xbb\xbf)*+").match
_begun_string = re.compile(_S + _STRING.removesuffix(b'"') + rb"(?:\\(?:u[0-9A-Fa-f]{0,3})?)?\Z").match
_begun_scalar = re.compile(_S + rb"(?:-|t(?:ru?)?|f(?:a(?:ls?)?)?|n(?:ul?)?)?\Z").match
_number_goes_on = re.compile(rb"(?:\.|[eE][-+]?)\Z").match
_ends = re.compile(_S + rb"\Z").match

_OPENERS = b"{["
_BRACE, _BRACKET = ord("{"), ord("[")
_TEXT, _NUMBER_OR_WORD, _MARK = 1, 2, 3  # the groups of a token
# The states of the parser: what may come next, a value, a name or a closing bracket.
_VALUES = ("value", "value or end")
_NAMES = ("name", "name or end")
_CLOSED_BY = {b"}": ("name or end", "comma or end"), b"]": ("value or end", "comma or end")}
_OPENED_BY = {b"}": _BRACE, b"]": _BRACKET}


class Tear(Enum):
    """What the end of a text may have cut off."""

    NOTHING = 0  # nothing: more text follows, which belongs to none of its values
    ARRAY = 1  # the content ends here: an array that lacks only its end is torn
    ANYTHING = 2  # the content was torn here


class Value(NamedTuple):
    """The trimmed bytes of a record, and where it begins: line and part, counted from 1."""

    raw: bytes
    line: int
    part: int


class _Short(Exception):
    """The text ends before the value does; nothing else is wrong with it."""


class _Fault(Exception):
    """No value begins here."""


@dataclass(slots=True)
class Reader:
    """Reads the values of one content, whose text comes in windows; each begins with what the last one left over."""

    line: int = 1  # line of the next value
    begun: int = 0  # records that began on that line so far
    behind: bool = False  # an object or an array ended on that line, followed only by white space
    comma: bool = False  # and by at most one comma
    at: int = 0  # offset up to which the last window was read
    is_torn: bool = False  # whether the content ends within a value

    def read(self, text: bytes, is_end: bool = True, tear: Tear = Tear.NOTHING) -> Iterator[Value]:
        """The records of a window. Unless it is the last one, an unfinished rest is left over, from `at` on."""
        self.at = 0
        known = _Known(text)
        while self._find_value(text, is_end):
            is_array = text[self.at : self.at + 1] == b"["
            try:
                yield from self._value(known, text)
                continue
            except _Short:
                if not is_end:
                    return
                if tear is Tear.ANYTHING or (tear is Tear.ARRAY and is_array):
                    yield from self._records(text, known.begun_elements(self.at) if is_array else [])
                    self.is_torn, self.at = True, len(text)
                    return
            except _Fault:
                pass
            raw = self._rest_of_line(text, is_end, tear)
            if raw is None:
                return
            yield self._record(raw)
            self._pass_line(text)

    def _find_value(self, text: bytes, is_end: bool) -> bool:
        """Advance to the next value; return whether one begins there, as far as the window shows."""
        self._go_to(text, _gap(text, self.at).end())  # type: ignore[union-attr]  # it matches nothing too
        if self.behind and not self.comma and text[self.at : self.at + 1] == b",":
            self.comma = True
            self.at += 1
            return self._find_value(text, is_end)
        # The rest may be the start of another byte-order mark.
        return self.at < len(text) and (is_end or len(text) - self.at >= len(BYTE_ORDER_MARK))

    def _value(self, known: _Known, text: bytes) -> Iterator[Value]:
        """The value that begins here; for an array, its elements."""
        mark = text[self.at : self.at + 1]
        if mark == b"{":
            end = known.end_of_value(self.at)
            yield self._record(text[self.at : end])
        elif mark == b"[":
            end, elements = known.elements(self.at)
            yield from self._records(text, elements)
        else:
            raise _Fault
        self._go_to(text, end)
        self.behind, self.comma = True, False

    def _records(self, text: bytes, places: list[tuple[int, int]]) -> Iterator[Value]:
        for first, last in places:
            self._go_to(text, first)
            yield self._record(text[first:last])

    def _rest_of_line(self, text: bytes, is_end: bool, tear: Tear) -> bytes | None:
        """The rest of the line; None if the line continues beyond the window or a tear cut it."""
        end = text.find(b"\n", self.at)
        if end >= 0:
            return trimmed(text[self.at : end])
        if not is_end:
            return None
        raw = trimmed(text[self.at :])
        if tear is Tear.ANYTHING and not _is_scalar(raw):
            self.is_torn, self.at = True, len(text)
            return None
        return raw

    def _pass_line(self, text: bytes) -> None:
        end = text.find(b"\n", self.at)
        self._go_to(text, end if end >= 0 else len(text))

    @property
    def begins_line(self) -> bool:
        """Whether the next character begins a line."""
        return not self.begun and not self.behind

    def give_up(self, raw: bytes) -> Value:
        """Return a record that holds only the start of one that is too large."""
        return self._record(raw)

    def skip_to(self, text: bytes, place: int) -> None:
        """Skip the start of a window."""
        self.at = 0
        self._go_to(text, place)

    def _record(self, raw: bytes) -> Value:
        self.begun += 1
        return Value(raw, self.line, self.begun)

    def _go_to(self, text: bytes, place: int) -> None:
        feeds = text.count(b"\n", self.at, place)
        if feeds:
            self.line += feeds
            self.begun = 0
            self.behind = self.comma = False
        self.at = place


def trimmed(text: bytes) -> bytes:
    """The text without outer white space and byte-order marks."""
    while (shorter := text.strip(JSON_WHITE_SPACE).removeprefix(BYTE_ORDER_MARK).removesuffix(BYTE_ORDER_MARK)) != text:
        text = shorter
    return text


def is_one_value(text: bytes) -> bool:
    """Whether a trimmed text is one JSON value."""
    known = _Known(text)
    try:
        if text[:1] == b"{" or text[:1] == b"[":
            return known.end_of_value(0) == len(text)
    except (_Short, _Fault):
        return False
    return _is_scalar(text)


def elements_of(text: bytes) -> list[bytes] | None:
    """The elements of a trimmed text that is one array, else None."""
    try:
        end, elements = _Known(text).elements(0)
    except (_Short, _Fault):
        return None
    return [text[first:last] for first, last in elements] if end == len(text) else None


def _is_scalar(raw: bytes) -> bool:
    found = _scalar(raw)
    return found is not None and found.end() == len(raw) and _is_text(raw)


def _is_text(raw: bytes, final: bool = True) -> bool:
    """Whether bytes are UTF-8. If they are not `final`, the last character may be incomplete."""
    if raw.isascii():
        return True
    try:
        codecs.utf_8_decode(raw, "strict", final)
    except UnicodeDecodeError:
        return False
    return True


class _Known:
    """A window, and the opening brackets found in it that begin no value.

    Without this memory, each of many lines that open a bracket would be followed to the same fault.
    """

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._open_at_fault: set[int] = set()
        self._open_at_end: set[int] = set()

    def end_of_value(self, place: int) -> int:
        """The end of the value that begins at `place`."""
        if place in self._open_at_fault:
            raise _Fault
        if place in self._open_at_end:
            raise _Short
        text = self._text
        flat = _flat_object(text, place)
        end = flat.end() if flat is not None else self._end_of_nested(place)
        if not _is_text(text[place:end]):
            raise _Fault
        return end

    def elements(self, place: int) -> tuple[int, list[tuple[int, int]]]:
        """The end of the array that begins at `place`, and the start and end of each element."""
        if place in self._open_at_fault:
            raise _Fault
        if place in self._open_at_end:
            raise _Short
        found: list[tuple[int, int]] = []
        try:
            return self._read_elements(place, found), found
        except _Fault:
            self._open_at_fault.add(place)
            raise
        except _Short:
            self._open_at_end.add(place)
            raise

    def begun_elements(self, place: int) -> list[tuple[int, int]]:
        """The complete elements of an array that lacks its end."""
        found: list[tuple[int, int]] = []
        try:
            self._read_elements(place, found)
        except _Short:
            return found
        raise AssertionError("the array is complete")

    def _read_elements(self, place: int, found: list[tuple[int, int]]) -> int:
        text = self._text
        at = _white_space(text, place + 1).end()  # type: ignore[union-attr]  # it matches nothing too
        if text[at : at + 1] == b"]":
            return at + 1
        while True:
            mark = text[at : at + 1]
            if mark and mark in _OPENERS:
                end = self.end_of_value(at)
            else:
                end = self.end_of_scalar(at)
                if text[end - 1 : end].isdigit() and _number_goes_on(text, end):
                    raise _Short
            found.append((at, end))
            at = _white_space(text, end).end()  # type: ignore[union-attr]
            mark = text[at : at + 1]
            if mark == b"]":
                return at + 1
            if mark == b",":
                at = _white_space(text, at + 1).end()  # type: ignore[union-attr]
            else:
                raise _Fault if mark else _Short

    def end_of_scalar(self, place: int) -> int:
        found = _scalar(self._text, place)
        if found is not None:
            if not _is_text(found.group()):
                raise _Fault
            return found.end()
        if _begun_scalar(self._text, place):
            raise _Short
        if _begun_string(self._text, place) and _is_text(self._text[place:], final=False):
            raise _Short
        raise _Fault

    def _end_of_nested(self, start: int) -> int:
        """As `end_of_value`, token by token, for any value. UTF-8 is checked only at a tear."""
        text = self._text
        opened: list[int] = []  # brackets
        firsts: list[int] = []  # the offset of each bracket that begins a line, else -1
        place, wanted, is_number = start, "value", False
        while True:
            token = _token(text, place)
            if token is None:
                is_short = self._is_begun(place, wanted, is_number) and _is_text(text[start:], final=False)
                (self._open_at_end if is_short else self._open_at_fault).update(at for at in firsts if at >= 0)
                raise _Short if is_short else _Fault
            kind, place = token.lastindex, token.end()
            is_number = kind == _NUMBER_OR_WORD and text[place - 1 : place].isdigit()
            mark = token[_MARK] if kind == _MARK else b""
            if mark and mark in _OPENERS and wanted in _VALUES and len(opened) < MAX_OPEN:
                begins_line = place - 1 == start or b"\n" in text[token.start() : place - 1]
                opened.append(mark[0])
                firsts.append(place - 1 if begins_line else -1)
                wanted = "name or end" if mark == b"{" else "value or end"
            elif mark and wanted in _CLOSED_BY.get(mark, ()) and opened[-1] == _OPENED_BY[mark]:
                opened.pop()
                firsts.pop()
                wanted = "comma or end"
            elif kind == _TEXT and wanted in _NAMES:
                wanted = "colon"
            elif mark == b":" and wanted == "colon":
                wanted = "value"
            elif mark == b"," and wanted == "comma or end":
                wanted = "name" if opened[-1] == _BRACE else "value"
            elif not mark and wanted in _VALUES:
                wanted = "comma or end"
            else:
                self._open_at_fault.update(at for at in firsts if at >= 0)
                raise _Fault
            if not opened:
                return place

    def _is_begun(self, place: int, wanted: str, is_number: bool) -> bool:
        """Whether the rest of the text, which is not a complete token, could be the start of an expected one."""
        text = self._text
        if _ends(text, place):
            return True
        if is_number and _number_goes_on(text, place):
            return True
        if wanted in (*_VALUES, *_NAMES) and _begun_string(text, place):
            return True
        return wanted in _VALUES and _begun_scalar(text, place) is not None
