"""What was read of some objects: rows that only need storing, and for each object what the manifest says of it.

Rows come in lots, accepted and rejected ones, and no more than some lots are ever in memory.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

import pyarrow as pa

from ingestion.bucket import FetchedObject

REJECTED_TABLE = "rejected_records"
REJECTED_COLUMNS = pa.schema(
    [
        ("object_index", pa.int32()),
        ("position", pa.int64()),
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
    unexpected_fields: list[set[str]] = field(default_factory=list)  # per object
    rejected: deque[RejectedRecord] = field(default_factory=deque)  # that are in no lot yet
    replaced: str | None = None  # the key of an object that was, while it was read: nothing of the others counts

    def add(self, fetched: FetchedObject) -> int:
        """One object more, of which nothing is read yet; gives its index."""
        self.objects.append(fetched.light())
        self.record_counts.append(0)
        self.rejected_counts.append(0)
        self.unexpected_fields.append(set())
        return len(self.objects) - 1

    def reject(self, object_index: int, position: int, reason: str, detail: str, payload: str | None) -> None:
        """Note a rejected record. Several threads may."""
        self.rejected.append(RejectedRecord(object_index, position, reason, detail, payload))

    def take_rejected(self, rejected_at: datetime) -> Lot:
        """The records rejected since the last time, and count them."""
        taken = [self.rejected.popleft() for _ in range(len(self.rejected))]
        for index, count in Counter(one.object_index for one in taken).items():
            self.rejected_counts[index] += count
        columns = {name: [one[place] for one in taken] for place, name in enumerate(RejectedRecord._fields)}
        rows = pa.table({**columns, "rejected_at": [rejected_at] * len(taken)}, schema=REJECTED_COLUMNS)
        return Lot(REJECTED_TABLE, rows)
