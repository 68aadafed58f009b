"""From the records of label objects to columns. Labels are few, so each is judged by itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pyarrow as pa

from ingestion.contract.events import Refusal
from ingestion.contract.labels import Label, judge_label
from ingestion.records.read_objects import ReadObjects
from ingestion.records.slices import Slice

# Accepted labels keep their payload: a label whose event never arrives is rejected later, with its raw text.
LABEL_COLUMNS = pa.schema(
    [
        ("object_index", pa.int32()),
        ("position", pa.int64()),
        ("part", pa.int32()),
        ("event_key", pa.string()),
        ("true_event_type", pa.string()),
        ("reviewer", pa.string()),
        ("reviewed_at", pa.timestamp("us", tz="UTC")),
        ("payload", pa.string()),
    ]
)


def read_labels(records: Slice, left_out: list[int], result: ReadObjects, landed_at: datetime) -> Iterator[pa.Table]:
    """The labels of a slice as `LABEL_COLUMNS`. Rejected ones are added to the result."""
    accepted: list[dict[str, object]] = []
    for place in sorted(set(range(len(records))) - set(left_out)):
        raw, index = records.raw(place), int(records.object_indexes[place])
        position, part = int(records.positions[place]), int(records.parts[place])
        payload = raw.decode("utf-8", errors="replace")
        verdict, unexpected = judge_label(raw, landed_at)
        result.expect_none(index, unexpected)
        if isinstance(verdict, Refusal):
            result.reject(index, position, part, verdict.reason, verdict.detail, payload)
        else:
            accepted.append(columns_of_label(verdict, payload, index, position, part))
    if accepted:
        yield pa.Table.from_pylist(accepted, schema=LABEL_COLUMNS)


def columns_of_label(label: Label, payload: str, object_index: int, position: int, part: int) -> dict[str, object]:
    """A label as a row of `LABEL_COLUMNS`."""
    return {
        "object_index": object_index,
        "position": position,
        "part": part,
        "event_key": label.event_key,
        "true_event_type": label.true_event_type,
        "reviewer": label.reviewer,
        "reviewed_at": label.reviewed_at,
        "payload": payload,
    }
