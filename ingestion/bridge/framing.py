"""A message's payload as lines of JSON Lines, or as an object of its own. Judges no event.

Lines of many messages share an object. So a line must not reach into its neighbours': only text that is JSON as a whole
becomes lines. Every other payload (binary, compressed, torn, in UTF-16, several values on a line) keeps its bytes as an
object of its own: landing reads it as it reads any object (contract §1), and rejects what it must, visibly.
"""

from __future__ import annotations

import json

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_WHITE = b" \t\r\n"
# In JSON text a line break stands between the parts of a value alone: within a text it is written as \n.
_ON_ONE_LINE = bytes.maketrans(b"\r\n", b"  ")


def to_lines(payload: bytes, max_bytes: int) -> list[bytes] | None:
    """The lines of a payload, each with its line end and at most `max_bytes` long; none where it is blank.

    None if the payload has to be an object of its own.
    """
    text = payload.strip(_WHITE).removeprefix(BYTE_ORDER_MARK).strip(_WHITE)
    if not text:
        return []
    if _is_json(text):
        lines = [text.translate(_ON_ONE_LINE) + b"\n"]
    else:
        lines = [line.strip(_WHITE) + b"\n" for line in text.split(b"\n") if line.strip(_WHITE)]
        if len(lines) == 1 or not all(map(_is_json, lines)):
            return None
        lines = [line[:-1].translate(_ON_ONE_LINE) + b"\n" for line in lines]
    return lines if max(map(len, lines)) <= max_bytes else None


def _is_json(text: bytes) -> bool:
    """Whether the text is one JSON value in UTF-8."""
    try:
        json.loads(text.decode())
    except (ValueError, RecursionError):  # ValueError: also no UTF-8, and numbers of more digits than Python reads
        return False
    return True
