"""Appends JSON lines from a stream to the spool and acknowledges them by line number. Does not judge the lines."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import BinaryIO, TextIO

from ingestion.edge.errors import RecordRefusedError, SpoolError
from ingestion.edge.records import to_line
from ingestion.edge.spool import Spool

READ_BYTES = 1_048_576
BYTE_ORDER_MARK = b"\xef\xbb\xbf"

Line = tuple[int, bytes | None]  # the number, from 1, and None for a line that is too long


def add_lines(
    source: BinaryIO,
    acknowledgements: TextIO,
    complaints: TextIO,
    spool: Spool,
    site_id: str | None,
    camera_id: str | None,
) -> bool:
    """Append every line. When lines are durable, write the number of the last one to `acknowledgements`.

    The lines of one read share an fsync: a slow camera is acknowledged line by line, a pipe every 64 KiB. A line that
    cannot be a record is refused with a sentence in `complaints`; the others are taken. Returns whether a line was
    refused.

    Raises:
        SpoolError: the lines after the last acknowledged number were not taken.
    """
    has_refused = False
    for lines in read_lines(source, spool.settings.object_max_bytes):
        records: list[dict[str, object] | bytes] = []
        numbers: list[int] = []
        for number, line in lines:
            try:
                if line is None:
                    raise RecordRefusedError(f"A record has more than {spool.settings.object_max_bytes} bytes.")
                if line.strip():
                    records.append(to_line(line, spool.settings.object_max_bytes))
                    numbers.append(number)
            except RecordRefusedError as error:
                has_refused = True
                print(f"line {number}: {error}", file=complaints, flush=True)
        try:
            spool.append_many(records, site_id, camera_id)
        except SpoolError as error:
            if error.acknowledged:
                print(numbers[error.acknowledged - 1], file=acknowledgements, flush=True)
            raise
        print(lines[-1][0], file=acknowledgements, flush=True)
    return has_refused


def read_lines(source: BinaryIO, max_bytes: int) -> Iterator[list[Line]]:
    """The lines that each read completes. The last line needs no line end. One of `max_bytes` or more is not kept."""
    number, rest, is_too_long = 0, b"", False
    is_start = True
    while True:
        piece = source.read1(READ_BYTES) if isinstance(source, io.BufferedReader) else source.read(READ_BYTES)
        if is_start and piece:
            piece, is_start = piece.removeprefix(BYTE_ORDER_MARK), False
        ended = (rest + piece).split(b"\n")
        rest = ended.pop()
        if not piece and (rest or is_too_long):
            ended, rest = [rest], b""
        lines: list[Line] = []
        for line in ended:
            number += 1
            lines.append((number, None if is_too_long or len(line) >= max_bytes else line))
            is_too_long = False
        if len(rest) >= max_bytes:
            rest, is_too_long = b"", True
        if lines:
            yield lines
        if not piece:
            return
