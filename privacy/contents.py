"""Removes one person's records from the contents of objects and registry files: bytes in, bytes out.

All other records stay as they were sent and keep their positions: a removed line becomes a blank line, which landing
counts and skips. A counter's reading stays without its worker and without unexpected fields, because the units of later
readings are differences from it.
"""

from __future__ import annotations

import csv
import gzip
import io

import zstandard

from ingestion.contract.events import DEFAULT_SITE, PRODUCT_COUNT, Folder
from ingestion.contract.identifiers import identifier_or_none, trimmed
from ingestion.errors import RegistryError
from ingestion.identity.payloads import redact
from ingestion.records.encoding import read_text
from ingestion.records.framing import NotJson, parse_json, split_records
from ingestion.records.unpacking import compression_of
from ingestion.records.values import BYTE_ORDER_MARK
from ingestion.registry.csv_reading import encoding_of, header_of, plain_cell, reader_of
from privacy.person import Person, is_theirs, mentions

_LINE_BREAKS_TO_SPACES = bytes.maketrans(b"\r\n", b"  ")


def count_theirs(unpacked: bytes, folder: Folder, person: Person) -> tuple[int, int]:
    """How many of an unpacked object's records are the person's, and how many others mention them."""
    if not person.may_be_in(unpacked):
        return 0, 0
    raws = split_records(unpacked).raws
    theirs = [is_theirs(raw, folder, person) for raw in raws]
    mentioning = [mentions(raw, folder, person) for raw in raws]
    return sum(theirs), sum(mention and not their for mention, their in zip(mentioning, theirs, strict=True))


def without_person(content: bytes, folder: Folder, person: Person, max_bytes: int) -> tuple[bytes, int]:
    """An object's content without the person's records, compressed as before, and how many there were.

    Returns the same bytes if there were none. Raises `Undecodable` as landing does. A record cut by a tear is removed
    too, because it may be the person's.
    """
    text, is_torn = read_text(content, max_bytes)
    if not person.may_be_in(text):
        return content, 0
    positions, raws, _ = split_records(text)
    left = {
        place: _what_is_left(raw, folder, person) for place, raw in enumerate(raws) if is_theirs(raw, folder, person)
    }
    if not left and not is_torn:
        return content, 0
    lines = text.removeprefix(BYTE_ORDER_MARK).split(b"\n")
    if not is_torn and all(
        position <= len(lines) and lines[position - 1].strip(b" \t\r\n") == raw
        for position, raw in zip(positions, raws, strict=True)
    ):
        changed = {positions[place]: rest for place, rest in left.items()}
        kept = [changed.get(number, line) for number, line in enumerate(lines, 1)]
    else:  # an array, or values that are not one per line: written as JSON Lines in order
        kept = [left.get(place, raw).replace(b"\n", b" ") for place, raw in enumerate(raws)]
    return _pack(content, b"\n".join(kept) if any(line.strip() for line in kept) else b""), max(len(left), 1)


def _what_is_left(raw: bytes, folder: Folder, person: Person) -> bytes:
    """The record of a counter's reading without the person; empty for any other record."""
    try:
        record = parse_json(raw)
    except NotJson:
        return b""
    if not isinstance(record, dict) or record.get("event_type") != PRODUCT_COUNT or record.get("count_total") is None:
        return b""
    text, _ = redact(raw.decode("utf-8"), "", folder, None, frozenset({person.site_id}))
    rest = (text or "").encode("utf-8", "surrogatepass").translate(_LINE_BREAKS_TO_SPACES)
    return b"" if is_theirs(rest, folder, person) else rest


def _pack(as_before: bytes, content: bytes) -> bytes:
    compression = compression_of(as_before[:4])
    if compression is None:
        return content
    return (
        gzip.compress(content, mtime=0) if compression.name == "gzip" else zstandard.ZstdCompressor().compress(content)
    )


def rows_without_person(content: bytes, person: Person) -> tuple[bytes, int]:
    """A CSV file without the person's rows, all other lines byte for byte, and how many rows there were.

    Raises:
        ValueError: the file is not CSV; landing refuses such a registry too.
    """
    mark, encoding = encoding_of(content)
    text = content[len(mark) :].decode(encoding)
    lines = io.StringIO(text, newline="").readlines()
    kept: list[str] = []
    removed = start = 0
    try:
        separator, header_line, header = header_of("", text, ("site_id", "worker_id"))
        reader = reader_of(lines, separator)
        for cells in reader:
            row = [trimmed(plain_cell(cell)) for cell in cells]
            if reader.line_num > header_line and _is_their_row(dict(zip(header, row, strict=False)), person):
                removed += 1
            else:
                kept += lines[start : reader.line_num]
            start = reader.line_num
    except (csv.Error, RegistryError) as error:
        raise ValueError(str(error)) from error
    return (mark + "".join(kept).encode(encoding), removed) if removed else (content, 0)


def _is_their_row(row: dict[str, str], person: Person) -> bool:
    site = identifier_or_none(row["site_id"]) if row.get("site_id") else DEFAULT_SITE
    return site == person.site_id and identifier_or_none(row.get("worker_id", "")) in person.ids
