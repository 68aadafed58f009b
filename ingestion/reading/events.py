"""From slices of records to events and rejected records: a fast path for plain records and an exact path for the rest.

The fast path runs DuckDB's JSON parser over the bytes as they were read (`columns.py`), then the contract's rules over
whole columns (`column_rules.py`), then a proof that the bytes contain nothing the parser skipped (`proof.py`). It
creates no Python object per record. The objects' bytes are joined first (`slices.py`), because many small files cost a
reader far more than their bytes.

Records that are not plain go to `ingestion/contract`, which alone decides. In between are records whose columns are
right but whose bytes contain more, an unknown field for instance: a second, strict parser decides whether they are
JSON.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import duckdb
import msgspec
import numpy as np
import pyarrow as pa

from ingestion.contract.event_columns import COLUMNS
from ingestion.contract.events import (
    FIELDS,
    REQUIRED_FIELDS,
    VERSION_FIELD,
    Event,
    Folder,
    Refusal,
    folder_of,
    judge_record,
)
from ingestion.reading.column_rules import EVENT_COLUMNS, check
from ingestion.reading.columns import EVENT_ID, NUMBERS, TEXTS, member_names, parse
from ingestion.reading.proof import unproved
from ingestion.records.framing import MAX_NESTING
from ingestion.records.read_objects import ReadObjects
from ingestion.records.slices import Slice

# The types of a record's fields. Their values are checked in columns.
_KINDS: dict[str, type] = {
    **dict.fromkeys(TEXTS, str),
    **dict.fromkeys(NUMBERS, float),
    EVENT_ID: object,
    VERSION_FIELD: int,
}
_Members = msgspec.defstruct(
    "_Members",
    [
        *((name, _KINDS[name]) for name in REQUIRED_FIELDS),
        *((name, _KINDS[name] | None, None) for name in sorted(FIELDS - set(REQUIRED_FIELDS))),
    ],
    gc=False,
)
_decode_members = msgspec.json.Decoder(_Members).decode
_NO_JSON = (duckdb.InvalidInputException, UnicodeDecodeError)  # UnicodeDecodeError: a text inside it is not UTF-8
_MOST_TORN = 0.05  # share of a slice's records; judging a record by itself costs ten times more
_REFUSED = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


@dataclass(slots=True)
class EventReader:
    """Reads slices of events in two steps. Each step takes one slice at a time; both may run at once."""

    landed_at: datetime
    session: duckdb.DuckDBPyConnection  # to a database in memory, in UTC
    nameless_sites: frozenset[str] = frozenset()  # sites whose worker ids are removed
    # Strict until a record is not JSON; then torn records are left out, until one fails that does not look torn.
    _strictly: bool = True
    _strictly_without_torn: bool = True

    def parse(self, records: Slice, left_out: list[int]) -> pa.Table:
        """The first step: the records as columns."""
        if self._strictly:
            try:
                return parse(records, left_out, self.session, strictly=True)
            except _NO_JSON:
                self._strictly = False
        torn = records.torn().tolist() if self._strictly_without_torn else []
        if 0 < len(torn) < _MOST_TORN * len(records):
            try:
                return parse(records, [*left_out, *torn], self.session, strictly=True)
            except _NO_JSON:
                self._strictly_without_torn = False
        return parse(records, left_out, self.session, strictly=False)

    def judge(self, parsed: pa.Table, records: Slice, left_out: list[int], result: ReadObjects) -> Iterator[pa.Table]:
        """The second step: the events as `EVENT_COLUMNS`. Rejected records are added to the result."""
        indexes = np.unique(records.object_indexes).tolist()
        folders = {index: folder_of(result.objects[index].key) for index in indexes}
        checked = check(parsed, records, folders, self.landed_at, self.nameless_sites)
        doubted = unproved(records, checked.members, checked.texts, checked.is_plain)
        refused = self._refuse(records, [place for place in doubted if not checked.is_spelled[place]], result)
        refused += [place for place in doubted if checked.is_spelled[place]]
        is_accepted = checked.is_plain.copy()
        is_accepted[refused] = False
        yield checked.events if is_accepted.all() else checked.events.filter(pa.array(is_accepted))
        doubtful = ~is_accepted
        doubtful[left_out] = False
        exact = self._judge_exactly(records, np.flatnonzero(doubtful).tolist(), folders, result)
        if exact is not None:
            yield exact

    def _refuse(self, records: Slice, places: list[int], result: ReadObjects) -> list[int]:
        """The plain records that the exact reading might reject or read with other values.

        The unknown field names of the others are recorded.
        """
        refused = []
        raws = [records.raw(place) for place in places]
        for place, raw, names in zip(places, raws, member_names(raws, self.session.cursor()), strict=True):
            try:
                _decode_members(raw)
            except _REFUSED:
                refused.append(place)
                continue
            # The parsers differ in which of two members of one name they keep, and none of them limits the nesting.
            if len(set(names)) < len(names) or raw.count(b"[") + raw.count(b"{") > MAX_NESTING:
                refused.append(place)
                continue
            result.expect_none(int(records.object_indexes[place]), set(names) - FIELDS)
        return refused

    def _judge_exactly(
        self, records: Slice, places: list[int], folders: Mapping[int, Folder], result: ReadObjects
    ) -> pa.Table | None:
        """Judge records one by one with the contract's own code; return the accepted ones."""
        accepted: list[dict[str, object]] = []
        for place in places:
            raw, position, part = records.raw(place), int(records.positions[place]), int(records.parts[place])
            index = int(records.object_indexes[place])
            verdict, unexpected = judge_record(raw, folders[index], self.landed_at, self.nameless_sites)
            result.expect_none(index, unexpected)
            if isinstance(verdict, Refusal):
                payload = raw.decode("utf-8", errors="replace")
                result.reject(index, position, part, verdict.reason, verdict.detail, payload)
            else:
                accepted.append(columns_of(verdict, index, position, part))
        return pa.Table.from_pylist(accepted, schema=EVENT_COLUMNS) if accepted else None


def columns_of(event: Event, object_index: int, position: int, part: int) -> dict[str, object]:
    """An event as a row of `EVENT_COLUMNS`."""
    return {
        "object_index": object_index,
        "position": position,
        "part": part,
        **{column.name: getattr(event, column.field) for column in COLUMNS},
    }
