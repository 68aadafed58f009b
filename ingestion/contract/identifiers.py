"""Normalises identifiers (contract §2), so that one thing has one name however it was typed.

Used for ids in records, folders and registries, and for names in registries. Does not know which fields are ids.
"""

from __future__ import annotations

import re
from functools import lru_cache
from unicodedata import category, normalize

MAX_IDENTIFIER_LENGTH = 64  # characters, counted after normalisation

_OUTER = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp"})  # removed at both ends
_KINDS = {
    "Cc": "the control character",
    "Cf": "the invisible character",
    "Zl": "the line separator",
    "Zp": "the paragraph separator",
    "Cs": "half of a character,",
}
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class BadIdentifier(ValueError):
    """The text is not an identifier. The message continues the words "a text of 1 to 64 characters"."""


def trimmed(text: str) -> str:
    """The text in Unicode NFC, without white space, control and format characters at both ends."""
    if text.isascii() and text.isprintable():
        return text.strip(" ")
    text = normalize("NFC", text)
    first, last = 0, len(text)
    while first < last and category(text[first]) in _OUTER:
        first += 1
    while first < last and category(text[last - 1]) in _OUTER:
        last -= 1
    return text[first:last]


@lru_cache(maxsize=1 << 16)  # a plant sends the same few ids all day
def identifier(text: str) -> str:
    """The normalised text: trimmed, with every space as U+0020.

    Raises:
        BadIdentifier: the text is empty, too long, or contains invisible or invalid characters.
    """
    text = trimmed(text)
    if not (text.isascii() and text.isprintable()):
        kinds = [category(character) for character in text]
        for character, kind in zip(text, kinds, strict=True):
            if kind in _KINDS:
                raise BadIdentifier(f" without {_KINDS[kind]} U+{ord(character):04X} in it")
        text = "".join(" " if kind == "Zs" else character for character, kind in zip(text, kinds, strict=True))
    if not text:
        raise BadIdentifier(" that people can see, and this one has none")
    if len(text) > MAX_IDENTIFIER_LENGTH:
        raise BadIdentifier(f", and this one has {len(text)}")
    return text


def identifier_or_none(text: str) -> str | None:
    """The normalised text; None if it is not an identifier."""
    try:
        return identifier(text)
    except BadIdentifier:
        return None


def visible(text: str) -> str:
    """The text in storable form: lone surrogates become U+FFFD."""
    return _LONE_SURROGATE.sub("\ufffd", text)
