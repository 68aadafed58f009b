"""Turns the bucket's pending objects into chunks of rows ready to store, in stages that run concurrently.

One thread fetches, hashes and unpacks objects and joins them to slices of records; a second parses the slices; a third
judges them; the caller stores the rows of earlier slices. Nearly all of the work happens outside Python's global lock:
in hashing, in numpy and in DuckDB. This keeps the cores busy across chunk boundaries, and only a few slices are in
memory, however many objects wait.

Rows are handed over in whole DuckDB row groups: a partial group costs up to twice as much, because DuckDB rewrites the
last group each time. All complete groups are handed over at once and stored by as many threads, so a store that falls
behind catches up.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Mapping as Dictionary
from contextlib import closing, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from types import MappingProxyType
from typing import NamedTuple, Protocol, TypeAlias

import duckdb
import pyarrow as pa

from ingestion.bucket import FetchedObject, ObjectReplaced
from ingestion.contract.events import folder_of
from ingestion.contract.identifiers import visible
from ingestion.landing.ahead import Ahead
from ingestion.mapping.applying import Mapper
from ingestion.mapping.mapping import Mapping, MappingError, is_name, key_of
from ingestion.reading.events import EventReader
from ingestion.reading.labels import read_labels
from ingestion.records.opening import HELD_BYTES, open_slices
from ingestion.records.read_objects import Lot, ReadObjects
from ingestion.records.slices import Slice
from ingestion.settings import Settings

EVENTS_PREFIX = "events/"
LABELS_PREFIX = "labels/"
# The table for an object's accepted records, by the prefix of its key.
TABLES = {EVENTS_PREFIX: "events", LABELS_PREFIX: "labels"}

Mappings: TypeAlias = Dictionary[str, Mapping]
NO_MAPPINGS: Mappings = MappingProxyType({})

ROW_GROUP = 122_880  # records; DuckDB's row group size
MOST_AT_ONCE = 8 * ROW_GROUP
MOST_BYTES = 256 * 1024 * 1024


class Source(Protocol):
    """The part of a bucket that the pipeline reads from."""

    def fetch(self, keys: Sequence[str], max_bytes: int | None = None) -> Iterator[FetchedObject]:
        """The objects that exist and may be read; objects above `max_bytes` come without content."""

    def pieces(self, fetched: FetchedObject) -> Iterator[bytes]:
        """The content, in pieces, of an object that was fetched without it."""


class Known(Protocol):
    """The part of the manifest that the pipeline asks what has landed."""

    def has(self, key: str, etag: str) -> bool:
        """Whether this content of this key has landed."""

    def knows(self, key: str) -> bool:
        """Whether any content of this key has landed."""


@dataclass(eq=False, slots=True)
class Chunk:
    """One transaction's share of the objects, all for one table; complete once the rows of `records` are used up."""

    table: str
    keys: Sequence[str] = ()
    mapping: Mapping | None = None  # of all objects; None: their records are the contract's
    # the objects of `records`, and those that have landed before
    fetched: list[FetchedObject] = field(default_factory=list)
    records: ReadObjects = field(default_factory=ReadObjects)


class _Part(NamedTuple):
    """A slice of a chunk with the places already rejected, or the chunk's end."""

    chunk: Chunk
    records: Slice | None
    left_out: list[int]


def source_of(key: str) -> str | None:
    """The source whose mapping reads an object; None where its records are the contract's."""
    return folder_of(key).source if table_of(key) == "events" else None


def no_mapping(source: str) -> MappingError:
    """The failure of a source without a mapping."""
    source = visible(source)
    if not is_name(source):
        return MappingError(
            f"The folder source={source} has a name that no mapping can have; allowed: 1 to 64 letters, digits, '-', "
            "'_' and '.', the first one a letter, a digit or '-'."
        )
    return MappingError(f"The folder source={source} has no mapping in force; it is read through {key_of(source)}.")


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
    mappings: Mappings = NO_MAPPINGS,
) -> Iterator[Chunk]:
    """A chunk for each share of keys, in order. The caller uses up a chunk's rows before asking for the next chunk.

    The objects of a share are all for one table and of one source (`source_of`). Worker ids of `nameless_sites` are
    removed before the records are judged. `mappings` are those in force by source; the chunks of a source without one,
    or whose mapping fails, have a `failure`.
    """
    # The other stages need cores as well: with all cores parsing, the stages would wait for each other.
    threads = max(len(os.sched_getaffinity(0)) // 2, 1)
    with duckdb.connect(config={"temp_directory": "", "threads": threads}) as session:
        session.execute("set timezone = 'UTC'")
        reader = EventReader(landed_at, session, nameless_sites)
        failures: dict[str, MappingError] = {}
        with (
            closing(Mapper(landed_at)) as mapper,
            Ahead(_open(bucket, chunks, manifest, settings, mappings, failures)) as opened,
            Ahead(_map(opened, mapper, failures)) if mappings else nullcontext(opened) as mapped,
            Ahead(_parse(mapped, reader)) as parsed,
            Ahead(_judge(parsed, reader)) as judged,
        ):
            for chunk, parts in groupby(judged, key=itemgetter(0)):
                chunk.records.rows = in_row_groups((lot for _, lots in parts for lot in lots), judged.is_ready)
                yield chunk


def _open(
    bucket: Source,
    chunks: Iterable[Sequence[str]],
    manifest: Known,
    settings: Settings,
    mappings: Mappings,
    failures: dict[str, MappingError],
) -> Iterator[_Part]:
    """The slices of each chunk, followed by one part without a slice."""
    for keys in chunks:
        chunk = Chunk(table_of(keys[0]), keys)
        source = source_of(keys[0])
        if source is not None:
            chunk.mapping = mappings.get(source)
            chunk.records.failure = no_mapping(source) if chunk.mapping is None else failures.get(source)
            chunk.records.mapping = chunk.mapping.label if chunk.mapping else None
        if chunk.records.failure is None:
            new = _new(bucket.fetch(keys, min(HELD_BYTES, settings.max_object_bytes)), chunk, manifest)
            try:
                for records, left_out in open_slices(new, bucket.pieces, settings, chunk.records):
                    yield _Part(chunk, records, left_out)
            except ObjectReplaced as replaced:
                chunk.records.replaced = str(replaced)
        yield _Part(chunk, None, [])


def _map(opened: Iterable[_Part], mapper: Mapper, failures: dict[str, MappingError]) -> Iterator[_Part]:
    """The parts with the records that the mappings make of them. The chunks of a mapping that fails become empty."""
    for part in opened:
        chunk = part.chunk
        if chunk.mapping is None or part.records is None:
            mapper.begin()
            yield part
        elif chunk.records.failure is None:
            try:
                for records, left_out in mapper.apply(chunk.mapping, part.records, part.left_out, chunk.records):
                    yield _Part(chunk, records, left_out)
            except MappingError as failure:
                failures[chunk.mapping.name] = chunk.records.failure = failure


def _new(objects: Iterable[FetchedObject], chunk: Chunk, manifest: Known) -> Iterator[FetchedObject]:
    for one in objects:
        chunk.fetched.append(one.light())
        chunk.records.has_earlier |= manifest.knows(one.key)
        if not manifest.has(one.key, one.etag):
            yield one


def _parse(opened: Iterable[_Part], reader: EventReader) -> Iterator[tuple[_Part, pa.Table | None]]:
    """Each part with the parsed columns of its slice of events."""
    for part in opened:
        if part.records is not None and part.chunk.table == "events":
            yield part, reader.parse(part.records, part.left_out)
        else:
            yield part, None


def _judge(parsed: Iterable[tuple[_Part, pa.Table | None]], reader: EventReader) -> Iterator[tuple[Chunk, list[Lot]]]:
    """The accepted and the rejected rows of each slice."""
    for (chunk, records, left_out), columns in parsed:
        accepted: Iterable[pa.Table] = []
        if records is not None and columns is not None:
            accepted = reader.judge(columns, records, left_out, chunk.records)
        elif records is not None:
            accepted = read_labels(records, left_out, chunk.records, reader.landed_at)
        lots = [Lot(chunk.table, rows) for rows in accepted]
        yield chunk, [*lots, chunk.records.take_rejected(reader.landed_at)]


def in_row_groups(lots: Iterable[Lot], is_ready: Callable[[], bool] = lambda: False) -> Iterator[Lot]:
    """The same rows in contiguous lots of whole `ROW_GROUP`s; the last lots hold the remainder.

    `is_ready` returns whether the next lot is available without waiting.
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
