"""From fetched objects to events and rejected records: the fast way for plain records, the exact one for all others.

The fast way is DuckDB's own JSON parser and its vectorised checks, on all cores, over the very bytes that were read
(`columns.py`), followed by a proof that these bytes hold nothing that the parser passed over (`proof.py`). Per record
nothing happens in Python: no object, no string, no call. The objects' bytes are joined first (`slices.py`), as many
small files cost a reader far more than their bytes do, and the columns stay in the engine that stores them.

What is not plain goes on to `contract.py`, which alone decides. In between are records whose columns are right but
whose bytes hold more, an unknown field for instance: a second parser, a strict one, says whether they are JSON.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import duckdb
import msgspec
import numpy as np
import pyarrow as pa

from ingestion.bucket import FetchedObject
from ingestion.columns import EVENT_COLUMNS, member_names, parse, plain_events
from ingestion.contract import FIELDS, Event, Folder, Refusal, folder_of, judge_record
from ingestion.framing import MAX_NESTING
from ingestion.opening import ReadObjects, Rows, open_slices
from ingestion.proof import unproved
from ingestion.settings import Settings
from ingestion.slices import Slice


class _Members(msgspec.Struct, gc=False):
    """The types of a record's fields. Their values are checked in columns."""

    timestamp: str
    worker_id: str
    workstation_id: str
    event_type: str
    confidence: float
    count: int | None = None
    site_id: str | None = None
    camera_id: str | None = None
    model_name: str | None = None
    model_version: str | None = None
    contract_version: int | None = None


_decode_members = msgspec.json.Decoder(_Members).decode
_REFUSED = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def read_objects(
    objects: Sequence[FetchedObject], settings: Settings, landed_at: datetime, session: duckdb.DuckDBPyConnection
) -> ReadObjects:
    """Every record of the objects; what is accepted has `EVENT_COLUMNS`. The `session` gets a temporary table."""
    result = ReadObjects.none_yet(objects)
    result.accepted = _Reader(objects, settings, landed_at, session, result).read()
    return result


@dataclass(frozen=True, slots=True)
class _Reader:
    objects: Sequence[FetchedObject]
    settings: Settings
    landed_at: datetime
    session: duckdb.DuckDBPyConnection
    result: ReadObjects

    def read(self) -> Iterator[Rows]:
        folders = [folder_of(fetched.key) for fetched in self.objects]
        for records, left_out in open_slices(self.objects, self.settings, self.result):
            yield from self._read_slice(records, left_out, folders)

    def _read_slice(self, records: Slice, left_out: list[int], folders: list[Folder]) -> Iterator[Rows]:
        checked = parse(records, left_out, folders, self.landed_at, self.session)
        refused = self._refuse(records, unproved(records, checked.members, checked.texts, checked.is_plain))
        yield plain_events(self.session, refused)
        doubtful = np.setdiff1d(np.flatnonzero(~checked.is_plain), left_out).tolist()
        exact = self._judge(records, sorted([*doubtful, *refused]), folders)
        if exact is not None:
            yield exact

    def _refuse(self, records: Slice, places: list[int]) -> list[int]:
        """Those of the plain records which the exact reading might not accept, or not with the same values.

        The unknown names in the others are noted.
        """
        refused = []
        raws = [records.raw(place) for place in places]
        for place, raw, names in zip(places, raws, member_names(raws, self.session), strict=True):
            try:
                _decode_members(raw)
            except _REFUSED:
                refused.append(place)
                continue
            # The parsers differ in which of two members of one name counts, and none of them counts how deep it is.
            if len(set(names)) < len(names) or raw.count(b"[") + raw.count(b"{") > MAX_NESTING:
                refused.append(place)
                continue
            self.result.unexpected_fields[records.object_indexes[place]] |= set(names) - FIELDS
        return refused

    def _judge(self, records: Slice, places: list[int], folders: list[Folder]) -> pa.Table | None:
        """Judge records one by one, by the contract's own words; those that are accepted."""
        accepted: list[dict[str, object]] = []
        for place in places:
            raw, position = records.raw(place), int(records.positions[place])
            index = int(records.object_indexes[place])
            verdict, unexpected = judge_record(raw, folders[index], self.landed_at)
            self.result.unexpected_fields[index] |= unexpected
            if isinstance(verdict, Refusal):
                payload = raw.decode("utf-8", errors="replace")
                self.result.reject(index, position, verdict.reason, verdict.detail, payload)
            else:
                accepted.append(columns_of(verdict, index, position))
        return pa.Table.from_pylist(accepted, schema=EVENT_COLUMNS) if accepted else None


def columns_of(event: Event, object_index: int, position: int) -> dict[str, object]:
    """An event as a row of `EVENT_COLUMNS`."""
    return {
        "object_index": object_index,
        "position": position,
        "event_at": event.timestamp,
        "site_id": event.site_id,
        "camera_id": event.camera_id,
        "worker_id": event.worker_id,
        "workstation_id": event.workstation_id,
        "event_type": event.event_type,
        "confidence": event.confidence,
        "unit_count": event.count,
        "model_name": event.model_name,
        "model_version": event.model_version,
    }
