"""From slices of records to events and rejected records: the fast way for plain ones, the exact one for all others.

The fast way is DuckDB's own JSON parser over the very bytes that were read (`columns.py`), then the contract's rules
over whole columns (`column_rules.py`), and a proof that the bytes hold nothing that the parser passed over
(`proof.py`). Per record nothing happens in Python: no object, no string, no call. The objects' bytes are joined first
(`slices.py`), as many small files cost a reader far more than their bytes do.

What is not plain goes on to `contract.py`, which alone decides. In between are records whose columns are right but
whose bytes hold more, an unknown field for instance: a second parser, a strict one, says whether they are JSON.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import duckdb
import msgspec
import numpy as np
import pyarrow as pa

from ingestion.contract.events import FIELDS, Event, Folder, Refusal, folder_of, judge_record
from ingestion.reading.column_rules import EVENT_COLUMNS, check
from ingestion.reading.columns import member_names, parse
from ingestion.reading.proof import unproved
from ingestion.records.framing import MAX_NESTING
from ingestion.records.read_objects import ReadObjects
from ingestion.records.slices import Slice


class _Members(msgspec.Struct, gc=False):
    """The types of a record's fields. Their values are checked in columns."""

    timestamp: str
    workstation_id: str
    event_type: str
    confidence: float
    worker_id: str | None = None
    count: float | None = None
    count_total: float | None = None
    event_id: object = None
    site_id: str | None = None
    camera_id: str | None = None
    model_name: str | None = None
    model_version: str | None = None
    contract_version: int | None = None


_decode_members = msgspec.json.Decoder(_Members).decode
_NO_JSON = (duckdb.InvalidInputException, UnicodeDecodeError)  # the second: its own text is not UTF-8
_MOST_TORN = 0.05  # share of a slice's records; each of them is judged by itself, which costs ten times more
_REFUSED = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


@dataclass(slots=True)
class EventReader:
    """Reads slices of events in two steps, each one slice after the other; both may be under way at once."""

    landed_at: datetime
    session: duckdb.DuckDBPyConnection  # of a database in memory, in UTC
    nameless_sites: frozenset[str] = frozenset()  # whose workers nobody is to know
    # Until a record is no JSON, and then until it does not even look torn: where there is one, there are more.
    _strictly: bool = True
    _but_for_torn: bool = True

    def parse(self, records: Slice, left_out: list[int]) -> pa.Table:
        """The first step: the records as columns."""
        if self._strictly:
            try:
                return parse(records, left_out, self.session, strictly=True)
            except _NO_JSON:
                self._strictly = False
        torn = records.torn().tolist() if self._but_for_torn else []
        if 0 < len(torn) < _MOST_TORN * len(records):
            try:
                return parse(records, [*left_out, *torn], self.session, strictly=True)
            except _NO_JSON:
                self._but_for_torn = False
        return parse(records, left_out, self.session, strictly=False)

    def judge(self, parsed: pa.Table, records: Slice, left_out: list[int], result: ReadObjects) -> Iterator[pa.Table]:
        """The second step: the events, as `EVENT_COLUMNS`. What is not accepted is noted in the result."""
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
        """Those of the plain records which the exact reading might not accept, or not with the same values.

        The unknown names in the others are noted.
        """
        refused = []
        raws = [records.raw(place) for place in places]
        for place, raw, names in zip(places, raws, member_names(raws, self.session.cursor()), strict=True):
            try:
                _decode_members(raw)
            except _REFUSED:
                refused.append(place)
                continue
            # The parsers differ in which of two members of one name counts, and none of them counts how deep it is.
            if len(set(names)) < len(names) or raw.count(b"[") + raw.count(b"{") > MAX_NESTING:
                refused.append(place)
                continue
            result.expect_none(int(records.object_indexes[place]), set(names) - FIELDS)
        return refused

    def _judge_exactly(
        self, records: Slice, places: list[int], folders: Mapping[int, Folder], result: ReadObjects
    ) -> pa.Table | None:
        """Judge records one by one, by the contract's own words; those that are accepted."""
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
        "event_at": event.timestamp,
        "site_id": event.site_id,
        "camera_id": event.camera_id,
        "worker_id": event.worker_id,
        "workstation_id": event.workstation_id,
        "event_type": event.event_type,
        "event_id": event.event_id,
        "confidence": event.confidence,
        "unit_count": event.count,
        "count_total": event.count_total,
        "model_name": event.model_name,
        "model_version": event.model_version,
    }
