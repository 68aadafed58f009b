"""Objects in the bucket that are not read, because of their name, as a link or for lack of permission.

Decides which objects are read. Skipped objects are listed and never touched.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import nsmallest

import duckdb

from ingestion.bucket import Bucket, ObjectInfo
from ingestion.bucket.objects import NAME_NOT_READ, PassedOver
from ingestion.landing.manifest import storable_key
from ingestion.warehouse import transaction

# The first bytes tell how an object is compressed; the ending only says that it is meant to be read.
_READ_NAME = re.compile(r"\.(?:json|jsonl|ndjson)(?:\.(?:gz|gzip|zst|zstd))?\Z", re.IGNORECASE)
_ENDING = re.compile(r"\.[^./]{1,20}\Z")
# An object under another name may still be renamed by its writer.
TIME_TO_BE_RENAMED = timedelta(hours=1)
MAX_LISTED = 1_000  # rows kept, the first by key
NAMED = 10  # keys named in one log line

_COLUMNS = {
    "object_key": "varchar",
    "reason": "varchar",
    "detail": "varchar",
    "bytes": "bigint",
    "modified_at": "timestamptz",
}


def is_read(key: str) -> bool:
    """Whether the key's ending says that the object is to be landed."""
    return _READ_NAME.search(key) is not None


@dataclass(slots=True)
class Unread:
    """The objects that a batch skips. All are counted; the first `MAX_LISTED` by key are kept."""

    now: datetime
    counts: Counter[str] = field(default_factory=Counter)  # by reason
    endings: Counter[str] = field(default_factory=Counter)  # endings of the names that are not read
    _rows: dict[str, PassedOver] = field(default_factory=dict)

    def readable(self, listing: Iterable[ObjectInfo]) -> Iterator[ObjectInfo]:
        """The objects whose names are read. The others are recorded once they are old enough."""
        for info in listing:
            if is_read(info.key):
                yield info
            elif self.now - info.modified > TIME_TO_BE_RENAMED:
                self.endings[_ending(info.key)] += 1
                self.note(PassedOver(info.key, NAME_NOT_READ, info.size, info.modified))

    def note(self, passed: PassedOver) -> None:
        """Count one more."""
        if passed.key in self._rows:
            return
        self.counts[passed.reason] += 1
        self._rows[passed.key] = passed
        if len(self._rows) > 2 * MAX_LISTED:
            self._rows = {key: self._rows[key] for key in nsmallest(MAX_LISTED, self._rows)}

    @property
    def total(self) -> int:
        """How many objects and folders are skipped."""
        return sum(self.counts.values())

    def listed(self) -> list[PassedOver]:
        """The kept objects in order of key."""
        return [self._rows[key] for key in nsmallest(MAX_LISTED, self._rows)]

    def sentences(self) -> Iterator[str]:
        """One log line for each reason."""
        rows = self.listed()
        for reason, count in sorted(self.counts.items()):
            keys = [row.key for row in rows if row.reason == reason]
            endings = ""
            if reason == NAME_NOT_READ:
                endings = f" ({', '.join(f'{n:,} {ending}' for ending, n in self.endings.most_common(NAMED))})"
            yield named(f"{count:,} not read, {_WHY[reason]}{endings}", keys, count)


_WHY = {
    NAME_NOT_READ: "as their names do not end in .json, .jsonl or .ndjson, each also with .gz, .gzip, .zst or .zstd",
    "link": "as no link in the bucket is followed",
    "other_owner": "as they are hard links to files of another owner",
    "no_right": "as this user may not read them",
    "no_file": "as they are neither files nor folders",
    "odd_key": "as their keys hold what no object's name may",
}


def named(sentence: str, keys: Collection[str], count: int | None = None) -> str:
    """A log line that names the first of `count` keys, escaped so that no key can break the line."""
    shown = [
        ascii(storable_key(key))[1:-1] if not storable_key(key).isprintable() else storable_key(key) for key in keys
    ]
    more = (len(keys) if count is None else count) - len(shown[:NAMED])
    return f"{sentence}: {', '.join(shown[:NAMED])}{f' and {more:,} more' if more > 0 else ''}"


def _ending(key: str) -> str:
    found = _ENDING.search(key)
    return found.group().lower() if found else "without an ending"


def remember_unread(connection: duckdb.DuckDBPyConnection, unread: Unread) -> None:
    """Store the objects that this batch skipped, in place of the previous batch's."""
    rows = unread.listed()
    columns: dict[str, list[object]] = {
        "object_key": [storable_key(row.key) for row in rows],
        "reason": [row.reason for row in rows],
        "detail": [f"Not read, {_WHY[row.reason]}." for row in rows],
        "bytes": [row.size for row in rows],
        "modified_at": [row.modified for row in rows],
    }
    if unread.total > len(rows):
        for name, value in zip(_COLUMNS, ("*", "not_listed", "", None, None), strict=True):
            columns[name].append(value)
        columns["detail"][-1] = f"{unread.total - len(rows):,} more are not read; the first {MAX_LISTED:,} are listed."
    # Lists in place of an Arrow table, which imports pandas: a batch that finds nothing new needs that nowhere else.
    lists = ", ".join(f"unnest(${name}::{kind}[]) as {name}" for name, kind in _COLUMNS.items())
    with transaction(connection):
        connection.execute("delete from raw.unread_objects")
        connection.execute(f"insert into raw.unread_objects by name select {lists}", columns)


def pending_objects(bucket: Bucket, unread: Unread) -> Iterator[ObjectInfo]:
    """The objects of events and labels that lie in the bucket now, landed before or not."""
    for prefix in ("events/", "labels/"):
        yield from unread.readable(bucket.list(prefix))
