"""From the bucket's pending objects to chunks of rows that only need storing, in stages that work beside each other.

One thread fetches, hashes, unpacks and joins objects to slices of records; a second has them parsed and proved; the
caller stores the rows of the slice before. Nearly all of it happens outside of Python's lock: in hashing, in numpy, in
DuckDB. So the processor's cores are busy from the first slice to the last, also across the borders of chunks, and no
more than a few slices are in memory, however many objects wait.

Rows are given in lots of one whole row group, as DuckDB stores them: a smaller or a ragged lot costs it up to twice as
much, for it takes the last group up again each time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from operator import itemgetter

import duckdb
import pyarrow as pa

from ingestion.ahead import ahead
from ingestion.bucket import Bucket, FetchedObject, ObjectReplaced
from ingestion.label_reading import read_labels
from ingestion.manifest import Manifest
from ingestion.opening import HELD_BYTES, ReadObjects, open_slices
from ingestion.reading import EventReader
from ingestion.settings import Settings
from ingestion.slices import Slice

EVENTS_PREFIX = "events/"
LABELS_PREFIX = "labels/"
# Where an object's accepted records go, by its prefix.
TABLES = {EVENTS_PREFIX: "events", LABELS_PREFIX: "labels"}

ROW_GROUP = 122_880  # records; DuckDB's own number


@dataclass(eq=False, slots=True)
class Chunk:
    """One transaction's share of the objects, all of one table; complete when the rows in `records` have ended."""

    table: str
    fetched: list[FetchedObject] = field(default_factory=list)  # those of `records`, and those that are landed already
    records: ReadObjects = field(default_factory=ReadObjects)


def table_of(key: str) -> str:
    """The raw table for the records of an object, by the key of the object."""
    return next(table for prefix, table in TABLES.items() if key.startswith(prefix))


def read_chunks(
    bucket: Bucket, chunks: Iterable[Sequence[str]], manifest: Manifest, settings: Settings, landed_at: datetime
) -> Iterator[Chunk]:
    """A chunk for each share of keys, in order; its rows are to be used before the next is asked for."""
    with duckdb.connect(config={"temp_directory": ""}) as session:
        session.execute("set timezone = 'UTC'")
        opened = ahead(_open(bucket, chunks, manifest, settings))
        read = ahead(_read(opened, EventReader(landed_at, session)))
        for chunk, lots in groupby(read, key=itemgetter(0)):
            chunk.records.accepted = in_row_groups(table for _, tables in lots for table in tables)
            yield chunk


def _open(
    bucket: Bucket, chunks: Iterable[Sequence[str]], manifest: Manifest, settings: Settings
) -> Iterator[tuple[Chunk, Slice | None, list[int]]]:
    """The slices of each chunk, and the places in them that are rejected already; at its end none."""
    for keys in chunks:
        chunk = Chunk(table_of(keys[0]))
        new = _new(bucket.fetch(keys, min(HELD_BYTES, settings.max_object_bytes)), chunk, manifest)
        try:
            for records, left_out in open_slices(new, bucket.pieces, settings, chunk.records):
                yield chunk, records, left_out
        except ObjectReplaced as replaced:
            chunk.records.replaced = str(replaced)
        yield chunk, None, []


def _new(objects: Iterable[FetchedObject], chunk: Chunk, manifest: Manifest) -> Iterator[FetchedObject]:
    for one in objects:
        chunk.fetched.append(one.light())
        if not manifest.has(one.key, one.etag):
            yield one


def _read(
    opened: Iterator[tuple[Chunk, Slice | None, list[int]]], events: EventReader
) -> Iterator[tuple[Chunk, list[pa.Table]]]:
    for chunk, records, left_out in opened:
        if records is None:
            yield chunk, []
        elif chunk.table == "labels":
            yield chunk, list(read_labels(records, left_out, chunk.records, events.landed_at))
        else:
            yield chunk, list(events.read(records, left_out, chunk.records))


def in_row_groups(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """The same rows in lots of `ROW_GROUP`, each in one piece; the last lot has the rest."""
    waiting: list[pa.Table] = []
    rows = 0
    for table in tables:
        waiting.append(table)
        rows += table.num_rows
        while rows >= ROW_GROUP:
            whole = pa.concat_tables(waiting)
            yield whole.slice(0, ROW_GROUP).combine_chunks()
            waiting, rows = [whole.slice(ROW_GROUP)], rows - ROW_GROUP
    if rows:
        yield pa.concat_tables(waiting).combine_chunks()
