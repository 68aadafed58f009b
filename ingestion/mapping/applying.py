"""Runs a mapping over slices of records: one slice in, the slices of the records that the mapping makes of it out.

The result is read as any other records are. Values that are no JSON pass by the mapping, for the reader to reject.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ingestion.mapping.checking import LINES_BEFORE, Checked, check
from ingestion.mapping.closed import ClosedDatabase
from ingestion.mapping.mapping import Mapping, MappingError
from ingestion.reading.columns import lines_of
from ingestion.records.framing import NotJson, parse_json
from ingestion.records.read_objects import ReadObjects
from ingestion.records.slices import SLICE_RECORDS, Integers, Slice

MOST_EVENTS = 1_000  # events for each record of a slice, on average
MOST_BYTES = 512 * 1024 * 1024  # of what a mapping makes of a slice
_LEAST_EVENTS = 100_000  # so that a single record may hold many
_BATCH_ROWS = 100_000

_decode_lines = msgspec.json.Decoder(msgspec.Raw).decode_lines
_decode = msgspec.json.Decoder(msgspec.Raw).decode
_REFUSED = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)

_LOAD = """
    create or replace table records as
    select line as record, object_key, place as position, $at::timestamptz as arrived_at
    from lines
    where line is not null
"""


@dataclass(slots=True)
class Mapper:
    """Applies mappings, each checked once. Use it from one thread at a time, and close it."""

    landed_at: datetime
    hides_values: bool = True  # in messages, which outlive the records
    _database: ClosedDatabase | None = None
    _checked: dict[str, Checked] = field(default_factory=dict)
    _last: tuple[int, int, int] = (-1, -1, 0)  # object, position and part of the last record of the slice before

    def close(self) -> None:
        """Release the database."""
        if self._database is not None:
            self._database.close()
            self._database = None

    def begin(self) -> None:
        """Begin with the objects of another chunk."""
        self._last = (-1, -1, 0)

    def apply(
        self, mapping: Mapping, records: Slice, left_out: list[int], result: ReadObjects
    ) -> Iterator[tuple[Slice, list[int]]]:
        """The slices of `rows`, with no record rejected already.

        Raises:
            MappingError: the mapping fails; `result` must not be used.
        """
        yield from self._slices(records, *self.rows(mapping, records, left_out, result))

    def rows(
        self, mapping: Mapping, records: Slice, left_out: list[int], result: ReadObjects
    ) -> tuple[Integers, pa.Array]:
        """The records that the mapping makes of a slice's: the place of the record of each, and each as a line.

        A record that is no JSON is a row itself. Those of `left_out`, which are rejected already, take no part.
        `result` counts the rows and the records that give none.

        Raises:
            MappingError: the mapping fails; `result` must not be used.
        """
        is_json = _are_json(records)
        is_read = is_json.copy()
        is_read[left_out] = False
        try:
            places, lines = self._run(mapping, records, np.flatnonzero(~is_read).tolist(), result)
        except MappingError:
            self.close()  # a failure may leave anything behind
            raise
        if len(places) and not (places.min() >= 0 and places.max() < len(records) and is_read[places].all()):
            raise MappingError(
                f"{mapping.key}: it yields a position that no record has; hand on the position of records."
            )
        self._count(records, is_read, places, result)
        passed_by = ~is_json
        passed_by[left_out] = False
        if passed_by.any():
            others = np.flatnonzero(passed_by)
            raws = pa.array([records.raw(place) + b"\n" for place in others.tolist()], pa.binary())
            lines = pa.concat_arrays([lines.cast(pa.binary()), raws])
            places = np.concatenate([places, others])
        order = _order(places, lines, records)
        if order is not None:
            places, lines = places[order], lines.take(pa.array(order))
        return places, lines

    def _run(
        self, mapping: Mapping, records: Slice, not_read: list[int], result: ReadObjects
    ) -> tuple[Integers, pa.Array]:
        """The place of the record of each row, and the row as a line of JSON."""
        database = self._database = self._database or ClosedDatabase()
        checked = self._checked.get(mapping.label)
        if checked is None:
            checked = self._checked[mapping.label] = check(mapping, database)
        lines = lines_of(records, not_read)
        first, last = int(records.object_indexes.min()), int(records.object_indexes.max())
        keys = [one.key.encode("utf-8", "replace").decode() for one in result.objects[first : last + 1]]
        texts = lines["line"].combine_chunks()
        given = pa.table(
            {
                "place": lines["place"],
                "line": pa.ExtensionArray.from_storage(pa.json_(), texts),
                "object_key": pa.DictionaryArray.from_arrays(pa.array(records.object_indexes - first), pa.array(keys)),
            }
        )
        most = max(MOST_EVENTS * len(records), _LEAST_EVENTS)
        connection = database.connection
        batches: list[pa.RecordBatch] = []
        rows = size = 0
        with database.bounded(mapping.key, LINES_BEFORE, hides_values=self.hides_values):
            connection.register("lines", given)
            try:
                connection.execute(_LOAD, {"at": self.landed_at})
            finally:
                connection.unregister("lines")
            for batch in connection.sql(checked.statement).to_arrow_reader(_BATCH_ROWS):
                rows, size = rows + batch.num_rows, size + batch.nbytes
                if rows > most or size > MOST_BYTES:
                    raise MappingError(
                        f"{mapping.key}: it makes more than {rows:,} events of {len(records):,} records, more than "
                        f"the maximum of {MOST_EVENTS:,} for each or of {MOST_BYTES:,} bytes."
                    )
                batches.append(batch)
        table = pa.Table.from_batches(batches) if batches else None
        if table is None or not table.num_rows:
            return np.empty(0, np.int64), pa.array([], pa.string())
        if table["position"].null_count:
            raise MappingError(f"{mapping.key}: it yields a row without a position; hand on the position of records.")
        return table["position"].to_numpy(), table["line"].cast(pa.string()).combine_chunks()

    def _count(self, records: Slice, is_read: npt.NDArray[np.bool_], places: Integers, result: ReadObjects) -> None:
        has_given = np.zeros(len(records), np.bool_)
        has_given[places] = True
        indexes = records.object_indexes
        first = int(indexes.min())
        for counts, counted in (
            (result.skipped_counts, indexes[is_read & ~has_given]),
            (result.mapped_counts, indexes[has_given]),
            (result.given_counts, indexes[places]),
        ):
            for index, count in enumerate(np.bincount(counted - first).tolist(), first):
                counts[index] += count

    def _slices(self, records: Slice, places: Integers, lines: pa.Array) -> Iterator[tuple[Slice, list[int]]]:
        indexes, positions = records.object_indexes[places], records.positions[places]
        parts = self._parts(indexes, positions)
        for start in range(0, len(places), SLICE_RECORDS):
            share = slice(start, start + SLICE_RECORDS)
            text, bounds = _joined(lines[share])
            yield Slice(text, bounds, indexes[share], positions[share], parts[share]), []

    def _parts(self, indexes: npt.NDArray[np.int32], positions: Integers) -> npt.NDArray[np.int32]:
        """The number of each row among those of its object and position, which stand side by side."""
        if not len(positions):
            return np.empty(0, np.int32)
        is_first = np.ones(len(positions), np.bool_)
        is_first[1:] = (np.diff(positions) != 0) | (np.diff(indexes) != 0)
        starts = np.flatnonzero(is_first)
        parts = np.arange(len(positions)) - np.repeat(starts, np.diff([*starts, len(positions)])) + 1
        if (int(indexes[0]), int(positions[0])) == self._last[:2]:  # a line whose values lie in two slices
            end = starts[1] if len(starts) > 1 else len(positions)
            parts[:end] += self._last[2]
        self._last = int(indexes[-1]), int(positions[-1]), int(parts[-1])
        return parts.astype(np.int32)


def _are_json(records: Slice) -> npt.NDArray[np.bool_]:
    """Which records are JSON values, strictly."""
    try:
        records.text.decode()
        if len(_decode_lines(records.text)) == len(records):
            return np.ones(len(records), np.bool_)
    except _REFUSED:
        pass
    return np.array([_is_json(records.raw(place)) for place in range(len(records))], np.bool_)


def _is_json(raw: bytes) -> bool:
    try:
        raw.decode()
        _decode(raw)
    except _REFUSED:
        try:
            parse_json(raw)
        except NotJson:
            return False
    return True


def _order(places: Integers, lines: pa.Array, records: Slice) -> Integers | None:
    """The order of rows by object, position, part and text; None if they have it.

    A database returns rows in any order, and the numbers of the rows of one record must not depend on that.
    """
    indexes, positions, parts = (
        of[places].astype(np.int64) for of in (records.object_indexes, records.positions, records.parts)
    )
    steps = np.diff(indexes), np.diff(positions), np.diff(parts)
    is_after = (steps[0] > 0) | ((steps[0] == 0) & ((steps[1] > 0) | ((steps[1] == 0) & (steps[2] > 0))))
    if is_after.all():
        return None
    # only rows of one record need their texts compared
    texts = np.zeros(len(places), np.int64)
    by_place = np.lexsort((parts, positions, indexes))
    same = np.flatnonzero(np.diff(places[by_place]) == 0)
    if len(same):
        several = np.unique(np.concatenate([same, same + 1]))
        rows = by_place[several]
        of_rows = lines.take(pa.array(rows)).cast(pa.binary()).to_pylist()
        ranks = {text: rank for rank, text in enumerate(sorted(set(of_rows)))}
        texts[rows] = [ranks[text] for text in of_rows]
    return np.lexsort((texts, parts, positions, indexes))


def _joined(lines: pa.Array) -> tuple[bytes, Integers]:
    """The lines as one text, with the offset of each and the text's end."""
    lines = pa.concat_arrays([lines.cast(pa.binary())])  # without the offset of a share
    lines = lines.take(pa.array(np.arange(len(lines)))) if lines.offset else lines
    _, offsets, data = lines.buffers()
    bounds = np.frombuffer(offsets, np.int32, count=len(lines) + 1).astype(np.int64)
    text = data.to_pybytes() if data is not None else b""
    return text[bounds[0] : bounds[-1]], bounds - bounds[0]
