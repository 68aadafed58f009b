"""From the bucket's pending objects to chunks of rows that only need storing, in stages that work beside each other.

One thread fetches, hashes, unpacks and joins objects to slices of records; a second has them parsed; a third judges
them; the caller stores the rows of the slices before. Nearly all of it happens outside of Python's lock: in hashing, in
numpy, in DuckDB. So the processor's cores are busy from the first slice to the last, also across the borders of chunks,
and no more than a few slices are in memory, however many objects wait.

Rows are given in whole row groups, as DuckDB stores them: a smaller or a ragged lot costs it up to twice as much, for
it takes the last group up again each time. All groups that are there are given at once, and then stored by as many
threads: the longer they waited for the store, the faster it becomes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple, Protocol

import duckdb
import pyarrow as pa

from ingestion.bucket import FetchedObject, ObjectReplaced
from ingestion.landing.ahead import Ahead
from ingestion.reading.events import EventReader
from ingestion.reading.labels import read_labels
from ingestion.records.opening import HELD_BYTES, open_slices
from ingestion.records.read_objects import Lot, ReadObjects
from ingestion.records.slices import Slice
from ingestion.settings import Settings

EVENTS_PREFIX = "events/"
LABELS_PREFIX = "labels/"
# Where an object's accepted records go, by its prefix.
TABLES = {EVENTS_PREFIX: "events", LABELS_PREFIX: "labels"}

ROW_GROUP = 122_880  # records; DuckDB's own number
MOST_AT_ONCE = 8 * ROW_GROUP
MOST_BYTES = 256 * 1024 * 1024


class Source(Protocol):
    """Where objects are read from: a bucket, as far as it is needed here."""

    def fetch(self, keys: Sequence[str], max_bytes: int | None = None) -> Iterator[FetchedObject]:
        """The objects that exist and may be read, without content above `max_bytes`."""

    def pieces(self, fetched: FetchedObject) -> Iterator[bytes]:
        """The content of an object that was fetched without it."""


class Known(Protocol):
    """What is landed already: a manifest, as far as it is needed here."""

    def has(self, key: str, etag: str) -> bool:
        """Whether this content of this key is landed."""

    def knows(self, key: str) -> bool:
        """Whether some content of this key is landed."""


@dataclass(eq=False, slots=True)
class Chunk:
    """One transaction's share of the objects, all of one table; complete when the rows in `records` have ended."""

    table: str
    fetched: list[FetchedObject] = field(default_factory=list)  # those of `records`, and those that are landed already
    records: ReadObjects = field(default_factory=ReadObjects)


class _Part(NamedTuple):
    """A slice of a chunk, and the places in it that are rejected already; or the chunk's end."""

    chunk: Chunk
    records: Slice | None
    left_out: list[int]


def table_of(key: str) -> str:
    """The raw table for the records of an object, by the key of the object."""
    return TABLES[key[: key.index("/") + 1]]


def read_chunks(
    bucket: Source,
    chunks: Iterable[Sequence[str]],
    manifest: Known,
    settings: Settings,
    landed_at: datetime,
    nameless_sites: frozenset[str] = frozenset(),
) -> Iterator[Chunk]:
    """A chunk for each share of keys, in order; its rows are to be used before the next is asked for.

    The workers of `nameless_sites` are taken off before their records are judged.
    """
    # The other stages need cores as well; with all of them for the parsing, all wait for each other.
    threads = max(len(os.sched_getaffinity(0)) // 2, 1)
    with duckdb.connect(config={"temp_directory": "", "threads": threads}) as session:
        session.execute("set timezone = 'UTC'")
        reader = EventReader(landed_at, session, nameless_sites)
        with (
            Ahead(_open(bucket, chunks, manifest, settings)) as opened,
            Ahead(_parse(opened, reader)) as parsed,
            Ahead(_judge(parsed, reader)) as judged,
        ):
            for chunk, parts in groupby(judged, key=itemgetter(0)):
                chunk.records.rows = in_row_groups((lot for _, lots in parts for lot in lots), judged.is_ready)
                yield chunk


def _open(bucket: Source, chunks: Iterable[Sequence[str]], manifest: Known, settings: Settings) -> Iterator[_Part]:
    """The slices of each chunk, and at its end none."""
    for keys in chunks:
        chunk = Chunk(table_of(keys[0]))
        new = _new(bucket.fetch(keys, min(HELD_BYTES, settings.max_object_bytes)), chunk, manifest)
        try:
            for records, left_out in open_slices(new, bucket.pieces, settings, chunk.records):
                yield _Part(chunk, records, left_out)
        except ObjectReplaced as replaced:
            chunk.records.replaced = str(replaced)
        yield _Part(chunk, None, [])


def _new(objects: Iterable[FetchedObject], chunk: Chunk, manifest: Known) -> Iterator[FetchedObject]:
    for one in objects:
        chunk.fetched.append(one.light())
        chunk.records.has_earlier |= manifest.knows(one.key)
        if not manifest.has(one.key, one.etag):
            yield one


def _parse(opened: Iterable[_Part], reader: EventReader) -> Iterator[tuple[_Part, pa.Table | None]]:
    """With each slice of events its columns."""
    for part in opened:
        if part.records is not None and part.chunk.table == "events":
            yield part, reader.parse(part.records, part.left_out)
        else:
            yield part, None


def _judge(parsed: Iterable[tuple[_Part, pa.Table | None]], reader: EventReader) -> Iterator[tuple[Chunk, list[Lot]]]:
    """For each slice the rows that are accepted, and those that are rejected."""
    for (chunk, records, left_out), columns in parsed:
        accepted: Iterable[pa.Table] = []
        if records is not None and columns is not None:
            accepted = reader.judge(columns, records, left_out, chunk.records)
        elif records is not None:
            accepted = read_labels(records, left_out, chunk.records, reader.landed_at)
        lots = [Lot(chunk.table, rows) for rows in accepted]
        yield chunk, [*lots, chunk.records.take_rejected(reader.landed_at)]


def in_row_groups(lots: Iterable[Lot], is_ready: Callable[[], bool] = lambda: False) -> Iterator[Lot]:
    """The same rows in lots of one or more whole groups of `ROW_GROUP`, each in one piece; the last lots have the rest.

    `is_ready` tells whether the next lot need not be waited for.
    """
    waiting: dict[str, list[pa.Table]] = {}
    for table, rows in lots:
        tables = waiting.setdefault(table, [])
        tables.append(rows)
        count = sum(one.num_rows for one in tables)
        is_much = sum(one.nbytes for one in tables) >= MOST_BYTES
        if is_much or count >= MOST_AT_ONCE or (count >= ROW_GROUP and not is_ready()):
            given = count if is_much else count // ROW_GROUP * ROW_GROUP
            joined = pa.concat_tables(tables)
            yield Lot(table, _regrouped(joined.slice(0, given)))
            waiting[table] = [joined.slice(given)]
    for table, tables in waiting.items():
        rows = pa.concat_tables(tables)
        if rows.num_rows:
            yield Lot(table, _regrouped(rows))


def _regrouped(table: pa.Table) -> pa.Table:
    groups = range(0, table.num_rows, ROW_GROUP)
    return pa.concat_tables(table.slice(first, ROW_GROUP).combine_chunks() for first in groups)
