"""Whole lines out of a content that comes in parts, a block at a time: what is in memory does not grow with the object.

A line that no limit allows is not kept whole either. What a line means is not known here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ingestion.records.framing import BYTE_ORDER_MARK, JSON_WHITE_SPACE

BLOCK_BYTES = 32 * 1024 * 1024
_MORE = b"~"  # in the place of what is left out of a line, so that it does not end in white space


def blocks_of_lines(parts: Iterable[bytes], max_line_bytes: int) -> Iterator[bytes]:
    """The content in blocks of about `BLOCK_BYTES`, each of whole lines, without a byte-order mark.

    A line that is longer than a block keeps more than `max_line_bytes` of it where it had more, and else all of it but
    white space around it.
    """
    waiting: list[bytes] = []
    size = 0
    is_first = True
    for part in parts:
        waiting.append(part)
        size += len(part)
        if size < BLOCK_BYTES:
            continue
        text = b"".join(waiting).removeprefix(BYTE_ORDER_MARK if is_first else b"")
        is_first = False
        end = text.rfind(b"\n") + 1
        if end:
            yield text[:end]
        rest = text[end:]
        waiting = [rest if len(rest) < BLOCK_BYTES else _shortened(rest, max_line_bytes)]
        size = len(waiting[0])
    if text := b"".join(waiting).removeprefix(BYTE_ORDER_MARK if is_first else b""):
        yield text


def _shortened(start: bytes, max_bytes: int) -> bytes:
    """The start of a line, long enough to decide whether the line without surrounding white space exceeds the limit."""
    start = start.lstrip(JSON_WHITE_SPACE)
    filled = len(start.rstrip(JSON_WHITE_SPACE))
    return start[:max_bytes] + _MORE if filled > max_bytes else start[: filled + max_bytes + 1]
