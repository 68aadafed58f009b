"""The sources whose objects wait in the bucket because their mapping is missing or fails.

Everything else of the batch lands. The objects are read by the first batch after their mapping is mended.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

import duckdb

from ingestion.contract.identifiers import visible
from ingestion.mapping.mapping import MappingError
from ingestion.warehouse import transaction

_MAX_LENGTH = 100  # characters of a folder's value that are kept


@dataclass(slots=True)
class StoppedSources:
    """What waits: by source the number of its objects, and why."""

    objects: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)

    def note(self, source: str, objects: int, reason: MappingError) -> None:
        """Count the objects of a source; the first reason stays."""
        name = visible(source)[:_MAX_LENGTH]
        self.objects[name] = self.objects.get(name, 0) + objects
        self.reasons.setdefault(name, str(reason).rstrip("."))

    @property
    def total(self) -> int:
        """How many objects wait."""
        return sum(self.objects.values())

    def sentences(self) -> Iterator[str]:
        """One sentence for each source."""
        for source, reason in sorted(self.reasons.items()):
            count = self.objects[source]
            wait = "object waits" if count == 1 else "objects wait"
            yield f"{reason}; {count:,} {wait} in the bucket, and nothing is lost."

    def remember(self, connection: duckdb.DuckDBPyConnection, landed_at: datetime) -> None:
        """Store them in place of those of the batch before; a source that still waits keeps its first instant."""
        since = dict(connection.execute("select source, stopped_at from raw.stopped_sources").fetchall())
        with transaction(connection):
            connection.execute("delete from raw.stopped_sources")
            for source, sentence in zip(sorted(self.reasons), self.sentences(), strict=True):
                connection.execute(
                    "insert into raw.stopped_sources by name select $source as source, "
                    "$at::timestamptz as stopped_at, $objects as objects, $sentence as sentence",
                    {
                        "source": source,
                        "at": since.get(source, landed_at),
                        "objects": self.objects[source],
                        "sentence": sentence,
                    },
                )
