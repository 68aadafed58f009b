"""Explains what is wrong with a text that is not JSON, for people who write to the bucket.

The messages name kinds and places, never content: an unreadable record may name a person.
"""

from __future__ import annotations

import json

# Messages of Python's parser, and our explanation. `{at}` is the character's number, counted from 1.
_WORDS = {
    "Expecting value": "at character {at} a value should begin",
    "Extra data": "something stands behind its end, from character {at} on",
    "Expecting property name enclosed in double quotes": "at character {at} the name of a field in double quotes "
    "should stand",
    "Expecting ':' delimiter": "at character {at} a colon should stand, between a field's name and its value",
    "Expecting ',' delimiter": "at character {at} a comma or the closing bracket should stand",
    "Unterminated string starting at": "the text that begins at character {at} has no closing quote",
    "Invalid control character at": "a text holds a line break, a tab or another control character at character {at}; "
    "expected its escape, such as \\n or \\t",
    "Invalid \\escape": "the backslash at character {at} begins none of JSON's escapes",
    "Invalid \\uXXXX escape": "the backslash at character {at} begins no escape of four hexadecimal digits",
    "Illegal trailing comma before end of object": "a comma too many stands at character {at}",
    "Illegal trailing comma before end of array": "a comma too many stands at character {at}",
}


def why_not_json(error: ValueError) -> str:
    """The end of a message that begins with "The text is not JSON: "."""
    if not isinstance(error, json.JSONDecodeError):
        return str(error)
    if error.pos >= len(error.doc) and not error.msg.startswith("Unterminated"):
        return "it ends too early" if error.doc.strip() else "it is empty"
    message = error.msg.rstrip(": ")
    words = next(
        (words for start, words in _WORDS.items() if message.startswith(start)), "it goes wrong at character {at}"
    )
    return words.format(at=error.pos + 1)
