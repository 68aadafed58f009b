"""What was read of some objects: rows that only need storing, and for each object what the manifest says of it.

Rows come in lots, accepted and rejected ones, and no more than some lots are ever in memory.
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

REJECTED_TABLE = "rejected_records"
# Of one object so many rejected records have rows, the first ones; one more row says how many others there are.
MAX_LISTED = 10_000
NOT_LISTED = "not_listed"
# So many fields that nobody expects are kept of an object, the first in byte order, each cut to so many characters.
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
    """Rows of one raw table, with `object_index` in the place of `object_id`."""

    table: str
    rows: pa.Table


class RejectedRecord(NamedTuple):
    """A record that is not accepted, with all that is needed to understand it and to try it again."""

    object_index: int
    position: int
    part: int
    reason: str
    detail: str
    payload: str | None


@dataclass(slots=True)
class ReadObjects:
    """Some objects' records. `object_index` counts the objects in the order given, from 0.

    Each lot of `rows` is to be used before the next is asked for; all else is complete when they have ended.
    """

    rows: Iterable[Lot] = ()
    objects: list[FetchedObject] = field(default_factory=list)
    record_counts: list[int] = field(default_factory=list)  # per object
    rejected_counts: list[int] = field(default_factory=list)  # per object
    unexpected_fields: list[set[str]] = field(default_factory=list)  # per object, at most some more than `MAX_FIELDS`
    has_more_fields: set[int] = field(default_factory=set)  # objects that had more
    has_earlier: bool = False  # some object's key is known by another content
    rejected: deque[RejectedRecord] = field(default_factory=deque)  # that are in no lot yet
    replaced: str | None = None  # the key of an object that was, while it was read: nothing of the others counts

    def add(self, fetched: FetchedObject) -> int:
        """One object more, of which nothing is read yet; gives its index."""
        self.objects.append(fetched.light())
        self.record_counts.append(0)
        self.rejected_counts.append(0)
        self.unexpected_fields.append(set())
        return len(self.objects) - 1

    def expect_none(self, object_index: int, names: Iterable[str]) -> None:
        """Note fields that nobody expects in a record of an object."""
        fields = self.unexpected_fields[object_index]
        fields |= {name[:MAX_FIELD_LENGTH] for name in names}
        if len(fields) > MAX_FIELDS:
            self.has_more_fields.add(object_index)
            if len(fields) > 10 * MAX_FIELDS:
                self.unexpected_fields[object_index] = set(sorted(fields)[:MAX_FIELDS])

    def fields_of(self, object_index: int) -> list[str]:
        """The fields of an object that nobody expects, in byte order."""
        return sorted(self.unexpected_fields[object_index])[:MAX_FIELDS]

    def reject(
        self, object_index: int, position: int, part: int, reason: str, detail: str, payload: str | None
    ) -> None:
        """Note a rejected record. Several threads may."""
        self.rejected.append(RejectedRecord(object_index, position, part, reason, detail, payload))

    def take_rejected(self, rejected_at: datetime) -> Lot:
        """Rows for the records rejected since the last time, and count them.

        Of an object that has `MAX_LISTED` of them, only its one at position 0 gets a row still: it is the first.
        """
        taken: list[RejectedRecord] = []
        for one in sorted((self.rejected.popleft() for _ in range(len(self.rejected))), key=itemgetter(0, 1, 2)):
            if self.rejected_counts[one.object_index] < MAX_LISTED or one.position == 0:
                taken.append(one)
            self.rejected_counts[one.object_index] += 1
        columns = {name: [one[place] for one in taken] for place, name in enumerate(RejectedRecord._fields)}
        rows = pa.table({**columns, "rejected_at": [rejected_at] * len(taken)}, schema=REJECTED_COLUMNS)
        return Lot(REJECTED_TABLE, rows)
