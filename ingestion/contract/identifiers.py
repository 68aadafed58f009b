"""How an identifier is brought to one form (contract §2), so that one thing has one name however it was typed.

Ids of records, folders and registries come here, and names of registries. Which fields are identifiers is not known.
"""

from __future__ import annotations

import re
from functools import lru_cache
from unicodedata import category, normalize

MAX_IDENTIFIER_LENGTH = 64  # characters, counted in the one form

_OUTER = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp"})  # taken off at both ends
_KINDS = {
    "Cc": "the control character",
    "Cf": "the invisible character",
    "Zl": "the line separator",
    "Zp": "the paragraph separator",
    "Cs": "half of a character,",
}
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class BadIdentifier(ValueError):
    """The text is no identifier; says what is wrong with it, behind the words "a text of 1 to 64 characters"."""


def trimmed(text: str) -> str:
    """The text in Unicode's NFC, without white space, control and format characters at both ends."""
    if text.isascii() and text.isprintable():
        return text.strip(" ")
    text = normalize("NFC", text)
    first, last = 0, len(text)
    while first < last and category(text[first]) in _OUTER:
        first += 1
    while first < last and category(text[last - 1]) in _OUTER:
        last -= 1
    return text[first:last]


@lru_cache(maxsize=1 << 16)  # a plant has few ids and sends them all day
def identifier(text: str) -> str:
    """The text in the one form: as `trimmed`, every space in it U+0020.

    Raises:
        BadIdentifier: nothing is left, it is too long, or holds what nobody sees or what is no character.
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
    """The text in the one form, None where it is no identifier."""
    try:
        return identifier(text)
    except BadIdentifier:
        return None


def visible(text: str) -> str:
    """The text as it can be stored: lone surrogates become U+FFFD."""
    return _LONE_SURROGATE.sub("\ufffd", text)
