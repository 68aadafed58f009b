"""The result of reading some objects: rows ready to store, and the manifest's numbers for each object.

Accepted and rejected rows come in lots, and only a few lots are in memory at a time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter
from typing import NamedTuple

import pyarrow as pa

from ingestion.bucket import FetchedObject
from ingestion.mapping.mapping import MappingError

REJECTED_TABLE = "rejected_records"
# Rejected records stored per object, the first ones; one more row says how many others there are.
MAX_LISTED = 10_000
NOT_LISTED = "not_listed"
# Unexpected fields kept per object, the first in byte order, and the characters kept of each.
MAX_FIELDS = 200
MAX_FIELD_LENGTH = 100
REJECTED_COLUMNS = pa.schema(
    [
        ("object_index", pa.int32()),
        ("position", pa.int64()),
        ("part", pa.int64()),
        ("reason", pa.string()),
        ("detail", pa.string()),
        ("payload", pa.string()),
        ("rejected_at", pa.timestamp("us", tz="UTC")),
    ]
)


class Lot(NamedTuple):
    """Rows of one raw table, with `object_index` in place of `object_id`."""

    table: str
    rows: pa.Table


class RejectedRecord(NamedTuple):
    """A rejected record, with everything needed to understand it and to judge it again."""

    object_index: int
    position: int
    part: int
    reason: str
    detail: str
    payload: str | None


@dataclass(slots=True)
class ReadObjects:
    """The records of some objects. `object_index` numbers the objects in the given order, from 0.

    The caller uses each lot of `rows` before asking for the next. Everything else is final after the last lot.
    """

    rows: Iterable[Lot] = ()
    objects: list[FetchedObject] = field(default_factory=list)
    source_counts: list[int] = field(default_factory=list)  # per object: its own records
    skipped_counts: list[int] = field(default_factory=list)  # per object: records that a mapping made nothing of
    given_counts: list[int] = field(default_factory=list)  # per object: records that a mapping made of the others
    mapped_counts: list[int] = field(default_factory=list)  # per object: those others
    rejected_counts: list[int] = field(default_factory=list)  # per object
    unexpected_fields: list[set[str]] = field(default_factory=list)  # per object; may exceed `MAX_FIELDS` for a while
    has_more_fields: set[int] = field(default_factory=set)  # objects with more fields than that
    has_earlier: bool = False  # another content of some object's key has landed before
    rejected: deque[RejectedRecord] = field(default_factory=deque)  # not yet in any lot
    replaced: str | None = None  # the key of an object replaced while it was read: the result must not be used
    mapping: str | None = None  # name and hash of the mapping that the objects are read through
    failure: MappingError | None = None  # the mapping failed: the result must not be used

    def add(self, fetched: FetchedObject) -> int:
        """Add an object that has not been read yet, and return its index."""
        self.objects.append(fetched.light())
        for counts in (self.source_counts, self.skipped_counts, self.given_counts, self.mapped_counts):
            counts.append(0)
        self.rejected_counts.append(0)
        self.unexpected_fields.append(set())
        return len(self.objects) - 1

    @property
    def record_counts(self) -> list[int]:
        """Per object: the records that are judged, each of them accepted or rejected."""
        counts = zip(self.source_counts, self.skipped_counts, self.given_counts, self.mapped_counts, strict=True)
        return [source - skipped - mapped + given for source, skipped, given, mapped in counts]

    def expect_none(self, object_index: int, names: Iterable[str]) -> None:
        """Record unexpected fields in a record of an object."""
        fields = self.unexpected_fields[object_index]
        fields |= {name[:MAX_FIELD_LENGTH] for name in names}
        if len(fields) > MAX_FIELDS:
            self.has_more_fields.add(object_index)
            if len(fields) > 10 * MAX_FIELDS:
                self.unexpected_fields[object_index] = set(sorted(fields)[:MAX_FIELDS])

    def fields_of(self, object_index: int) -> list[str]:
        """The unexpected fields of an object, in byte order."""
        return sorted(self.unexpected_fields[object_index])[:MAX_FIELDS]

    def reject(
        self, object_index: int, position: int, part: int, reason: str, detail: str, payload: str | None
    ) -> None:
        """Add a rejected record. Safe to call from several threads."""
        self.rejected.append(RejectedRecord(object_index, position, part, reason, detail, payload))

    def take_rejected(self, rejected_at: datetime) -> Lot:
        """Return rows for the records rejected since the last call, and count them.

        Once an object has `MAX_LISTED` rows, only its record at position 0 still gets one, because it comes first.
        """
        taken: list[RejectedRecord] = []
        for one in sorted((self.rejected.popleft() for _ in range(len(self.rejected))), key=itemgetter(0, 1, 2)):
            if self.rejected_counts[one.object_index] < MAX_LISTED or one.position == 0:
                taken.append(one)
            self.rejected_counts[one.object_index] += 1
        columns = {name: [one[place] for one in taken] for place, name in enumerate(RejectedRecord._fields)}
        rows = pa.table({**columns, "rejected_at": [rejected_at] * len(taken)}, schema=REJECTED_COLUMNS)
        return Lot(REJECTED_TABLE, rows)
