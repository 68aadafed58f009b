"""Writes the review sample for labelling tools as JSON Lines in `outbox/review/`. Each sampled event is written once.

A line has the columns of the mart `review_queue`, a question `text` that does not reveal the model's answer, and the
four answers as `options`. Prodigy (recipe `mark`, view `choice`) and doccano read such lines without conversion. The
answer is a label record (contract §7).
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa

from ingestion.contract.events import EVENT_TYPES
from ingestion.warehouse import transaction
from quality.retraining.outbox import HandoverFolder


def drop_reviews(connection: duckdb.DuckDBPyConnection, folder: Path, now: datetime) -> int:
    """Write the sampled events that are in no file yet into a new file. Returns their number.

    Raises:
        WarehouseError: the folder cannot be written.
    """
    outbox = HandoverFolder(folder)
    outbox.recover({name for (name,) in connection.execute("select file_name from raw.dropped_reviews").fetchall()})
    result = connection.execute(
        "select review_queue.* from marts.review_queue anti join raw.dropped_reviews using (event_key) order by all"
    )
    columns = [column[0] for column in result.description]
    events = [dict(zip(columns, row, strict=True)) for row in result.fetchall()]
    if not events:
        return 0
    keys = [event["event_key"] for event in events]
    digest = hashlib.md5("".join(keys).encode("utf-8"), usedforsecurity=False).hexdigest()[:8]
    name = f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{digest}.jsonl"
    text = "".join(json.dumps(_line(event), ensure_ascii=False) + "\n" for event in events)

    def note() -> None:
        with transaction(connection):
            dropped = pa.table({"event_key": keys, "file_name": [name] * len(keys)})  # noqa: F841  # found by its name
            connection.execute("insert into raw.dropped_reviews by name select * from dropped")

    def write(path: Path) -> None:
        path.write_text(text, encoding="utf-8")

    outbox.put(name, write, note)
    return len(events)


def _line(event: dict[str, object]) -> dict[str, object]:
    at = event["timestamp"]
    assert isinstance(at, datetime)
    timestamp = at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    text = (
        f"What does worker {event['worker_id']} do at {event['workstation_id']} ({event['site_id']}, "
        f"camera {event['camera_id']}) at {timestamp}?"
    )
    return {
        **event,
        "timestamp": timestamp,
        "text": text,
        "options": [{"id": kind, "text": kind} for kind in EVENT_TYPES],
    }
