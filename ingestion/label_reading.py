"""From fetched label objects to columns. People write labels, so there are few: each is judged by itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import pyarrow as pa

from ingestion.bucket import FetchedObject
from ingestion.contract import Refusal
from ingestion.label_contract import Label, judge_label
from ingestion.reading import ReadObjects, RejectedRecord, split_all
from ingestion.settings import Settings

# The payload is kept of accepted labels too: one whose event never arrives is rejected later, with its raw text.
LABEL_COLUMNS = pa.schema(
    [
        ("object_index", pa.int32()),
        ("position", pa.int64()),
        ("event_key", pa.string()),
        ("true_event_type", pa.string()),
        ("reviewer", pa.string()),
        ("reviewed_at", pa.timestamp("us", tz="UTC")),
        ("payload", pa.string()),
    ]
)


def read_labels(objects: Sequence[FetchedObject], settings: Settings, landed_at: datetime) -> ReadObjects:
    """Every record of the objects, accepted or rejected; `events` are tables of `LABEL_COLUMNS`."""
    result = ReadObjects(unexpected_fields=[set() for _ in objects])
    records = split_all(objects, settings, result)
    accepted: list[dict[str, object]] = []
    for raw, index, place in zip(
        records.raws, records.object_indexes.tolist(), records.positions.tolist(), strict=True
    ):
        verdict, unexpected = judge_label(raw, landed_at)
        result.unexpected_fields[index] |= unexpected
        payload = raw.decode("utf-8", errors="replace")
        if isinstance(verdict, Refusal):
            result.rejected.append(RejectedRecord(index, place, verdict.reason, verdict.detail, payload))
        else:
            accepted.append(columns_of_label(verdict, payload, index, place))
    if accepted:
        result.events.append(pa.Table.from_pylist(accepted, schema=LABEL_COLUMNS))
    return result


def columns_of_label(label: Label, payload: str, object_index: int, position: int) -> dict[str, object]:
    """A label as a row of `LABEL_COLUMNS`."""
    return {
        "object_index": object_index,
        "position": position,
        "event_key": label.event_key,
        "true_event_type": label.true_event_type,
        "reviewer": label.reviewer,
        "reviewed_at": label.reviewed_at,
        "payload": payload,
    }
