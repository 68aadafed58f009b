"""Contract §1: an object's bytes become the texts of its records, each with its position and its part.

Slow and plain: one byte, one character, one value after the other. `reading` decides what a record means.
"""

import codecs
import contextlib
import re
import zlib
from dataclasses import dataclass
from typing import Any

import zstandard

from tests.reference.json_text import WHITE_SPACE, Ended, NotJson, read_value, whole_value

MARK = "\ufeff"
GAP = WHITE_SPACE + MARK
GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
SKIPPABLE = tuple(bytes([0x50 + number]) + b"\x2a\x4d\x18" for number in range(16))
UNDECODED = re.compile("[\udc80-\udcff]")


@dataclass(frozen=True)
class Record:
    """One record's text as written. `value` is NotJson if the text has none."""

    position: int
    part: int
    value: Any
    text: str

    @property
    def payload(self) -> str:
        return self.text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


class Damaged(Exception):
    """No record can be read from the object."""


def records_of(content: bytes) -> tuple[list[Record], bool]:
    """The records of an object, and whether a tear cut a rest. Raises Damaged if no record can be read."""
    content, is_torn = decompressed(content)
    text, cut_bytes = decoded(content)
    is_cut = cut_bytes > 0
    shorter = text.rstrip("\0")
    if len(shorter) < len(text):
        text, is_torn, is_cut = shorter, True, False
    if is_no_text(text + "\udcff" * (cut_bytes if is_cut else 0), 2 if is_utf_16(content) else 1):
        raise Damaged
    whole = text.strip(GAP)
    try:
        if is_cut:
            raise NotJson("a character lacks its end")
        value = whole_value(readable(whole))
    except NotJson:
        return in_a_row(text, is_torn, is_cut)
    if isinstance(value, list):
        return [Record(number, 1, *each) for number, each in enumerate(elements_of(whole, 0)[0], start=1)], is_torn
    return [Record(1, 1, value, whole)], is_torn


def decompressed(content: bytes) -> tuple[bytes, bool]:
    """The content, and whether it ends early."""
    if not content.startswith((GZIP, ZSTD, *SKIPPABLE)):
        return content, False
    is_gzip = content.startswith(GZIP)
    given = b""
    rest = content
    try:
        while rest.strip(b"\0"):
            if given or rest is not content:
                rest = rest.lstrip(b"\0")
            if not is_gzip and rest.startswith(SKIPPABLE):
                if len(rest) < 8 or len(rest) < (size := 8 + int.from_bytes(rest[4:8], "little")):
                    return given, True
                rest = rest[size:]
                continue
            marks = (GZIP,) if is_gzip else (ZSTD, *SKIPPABLE)
            if not any(rest.startswith(mark) or mark.startswith(rest) for mark in marks):
                raise Damaged
            stream: Any = zlib.decompressobj(wbits=31) if is_gzip else zstandard.ZstdDecompressor().decompressobj()
            for place in range(len(rest)):
                given += stream.decompress(rest[place : place + 1])
                if stream.eof:
                    rest = rest[place + 1 :]
                    break
            else:
                return given, True
    except (zlib.error, zstandard.ZstdError, Damaged):
        if content.endswith(bytes(8)):
            return given, True
        raise Damaged from None
    return given, False


def is_utf_16(content: bytes) -> bool:
    return codec_of(content) != "utf-8"


def codec_of(content: bytes) -> str:
    first, second = (*content[:2], 255, 255)[:2]
    if content[:2] == codecs.BOM_UTF16_LE or (second == 0 and is_printable(first)):
        return "utf-16-le"
    if content[:2] == codecs.BOM_UTF16_BE or (first == 0 and is_printable(second)):
        return "utf-16-be"
    return "utf-8"


def is_printable(code: int) -> bool:
    return 32 <= code < 127 or chr(code) in "\t\n\v\f\r"


def decoded(content: bytes) -> tuple[str, int]:
    """The text, with undecodable bytes as lone surrogates, and the number of bytes of an incomplete last character."""
    codec = codec_of(content)
    text, place = "", 0
    while place < len(content):
        for length in (1, 2, 3, 4):
            try:
                text += content[place : place + length].decode(codec)
            except UnicodeDecodeError as error:
                if "end of data" not in error.reason and "truncated" not in error.reason:
                    text += chr(0xDC00 + content[place]) if codec == "utf-8" else "\udcff"
                    place += 1 if codec == "utf-8" else 2
                    break
                if place + length >= len(content):
                    if codec != "utf-8" and content[place:] == b"\0":
                        return text + "\0", 0
                    return text, len(content) - place if codec == "utf-8" else 1
            else:
                place += length
                break
    return text, 0


def is_no_text(text: str, width: int) -> bool:
    size, bad, characters = 0, 0, 0
    for character in text:
        own = 1 if UNDECODED.match(character) else len(character.encode("utf-8"))
        size += own if width == 1 else 1
        if size > 4096 // width:
            break
        characters += 1
        bad += (
            bool(UNDECODED.match(character))
            or (ord(character) < 32 and character not in "\t\n\v\f\r")
            or 127 <= ord(character) < 160
        )
    return bad * 10 > characters


def readable(text: str) -> str:
    """The text before the first byte that does not decode; no value reaches beyond it."""
    found = UNDECODED.search(text)
    if found is not None:
        raise NotJson("not text")
    return text


def in_a_row(text: str, is_torn: bool, is_cut: bool) -> tuple[list[Record], bool]:
    """The values one after another. With `is_cut`, the text is followed by an undecodable end."""
    row = Row(text, is_torn, is_cut)
    while row.place < len(text) and row.step():
        pass
    if is_cut and not row.has_rest and not row.took_the_cut:
        row.add(NotJson, "\udcff", row.place)
    return row.records, row.has_rest or is_torn


class Row:
    """The values of a text up to `place`."""

    def __init__(self, text: str, is_torn: bool, is_cut: bool) -> None:
        self.text, self.is_torn, self.is_cut = text, is_torn, is_cut
        self.records: list[Record] = []
        self.place = 0
        self.behind = self.comma = False
        self.has_rest = is_torn
        self.took_the_cut = False

    def add(self, value: Any, own: str, place: int) -> None:
        line = 1 + self.text.count("\n", 0, place)
        before = sum(1 for one in self.records if one.position == line)
        self.records.append(Record(line, before + 1, value, own))

    def step(self) -> bool:
        """Read one more white space, comma, value or bad line. Returns False if a tear ends the text."""
        character = self.text[self.place]
        if character in GAP:
            if character == "\n":
                self.behind = self.comma = False
            self.place += 1
            return True
        if character == "," and self.behind and not self.comma:
            self.comma = True
            self.place += 1
            return True
        try:
            self.value(character)
        except Ended as ended:
            if (self.is_torn or character == "[") and not UNDECODED.search(self.text[self.place :]):
                self.add_elements(ended.elements if character == "[" else [])
                self.has_rest = True
                return False
        except NotJson:
            pass
        else:
            return True
        return self.rest_of_line()

    def value(self, character: str) -> None:
        if character == "{":
            value, end = read_value(self.text, self.place)
            readable(self.text[self.place : end])
            self.add(value, self.text[self.place : end], self.place)
        elif character == "[":
            found, end = elements_of(self.text, self.place)
            self.add_elements(found)
        else:
            raise NotJson("neither an object nor an array")
        self.place, self.behind, self.comma = end, True, False

    def add_elements(self, found: list[tuple[Any, str]]) -> None:
        at = self.place + 1
        for value, own in found:
            start = self.text.index(own, at)
            self.add(value, own, start)
            at = start + len(own)

    def rest_of_line(self) -> bool:
        end = self.text.find("\n", self.place)
        is_last = end < 0
        end = len(self.text) if is_last else end
        rest = self.text[self.place : end].strip(GAP)
        is_cut = is_last and self.is_cut
        value: Any = NotJson
        if not is_cut:
            with contextlib.suppress(NotJson):
                value = whole_value(readable(rest))
        if is_last and self.is_torn and value is NotJson:
            self.has_rest = True
            return False
        self.add(value, rest + "\udcff" if is_cut else rest, self.place)
        self.took_the_cut = is_cut
        self.place = end
        return True


def elements_of(text: str, place: int) -> tuple[list[tuple[Any, str]], int]:
    """The elements of the array at `place`, each with its own text, and its end.

    Ended holds the elements before a tear.
    """
    found: list[tuple[Any, str]] = []
    place += 1
    try:
        while True:
            while place < len(text) and text[place] in WHITE_SPACE:
                place += 1
            if not found and text[place : place + 1] == "]":
                return found, place + 1
            value, end = read_value(text, place)
            readable(text[place:end])
            if (
                text[end : end + 1]
                and re.fullmatch(r"[0-9]", text[end - 1])
                and re.fullmatch(r"\.|[eE][-+]?", text[end:])
            ):
                raise Ended("a number goes on")
            found.append((value, text[place:end].strip(WHITE_SPACE)))
            place = end
            while place < len(text) and text[place] in WHITE_SPACE:
                place += 1
            if place == len(text):
                raise Ended("the array goes on")
            if text[place] == "]":
                return found, place + 1
            if text[place] != ",":
                raise NotJson("no comma")
            place += 1
    except Ended as ended:
        ended.elements = found
        raise
