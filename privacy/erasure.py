"""Erases one person from the bucket, the warehouse and those files of the data folder that are not rebuilt.

Marts, published files and the report are rebuilt afterwards (orchestration/deletions.py), and `search.py` checks that
nothing is left. Every step can be killed and repeated; the journal holds unfinished work.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb

from ingestion.bucket import LocalBucket, open_landing_bucket
from ingestion.durable import write_whole
from ingestion.errors import SettingsError, WarehouseError
from ingestion.identity.identity import settle_identity, stored_id
from ingestion.identity.journal import PendingErasure, owe_purge
from ingestion.identity.pseudonyms import PATTERN
from ingestion.identity.sentences import NAMING_METRICS
from ingestion.records.framing import split_records
from ingestion.settings import Settings
from ingestion.warehouse import open_warehouse
from privacy.bucket_erasure import BucketErasure, erase_from_bucket, is_also
from privacy.contents import rows_without_person
from privacy.inventory import Kind, kind_of
from privacy.person import Person
from privacy.search import traces_of
from privacy.traces import Traces
from privacy.warehouse_erasure import erase_from_warehouse, event_keys_of

# What this module changes by itself; training sets are made anew, and what stands in them until then is searched.
_OURS = (Kind.TEXT, Kind.SAMPLE)


@dataclass(frozen=True, slots=True)
class ErasureReport:
    """What was deleted: records in the bucket, rows by table, and other changed files."""

    bucket: BucketErasure
    rows: dict[str, int]
    files: list[str] = field(default_factory=list)


def erase(settings: Settings, pending: PendingErasure, log: Callable[[str], None] = lambda _: None) -> ErasureReport:
    """Delete one person's data. The caller holds the warehouse's lock. A second run deletes nothing.

    Raises:
        SettingsError: the id is a pseudonym; objects of the bucket can only be found by the worker's own id.
    """
    owe_purge(settings)
    bucket = open_landing_bucket(settings)
    with open_warehouse(settings) as connection:
        settle_identity(connection, settings)
        person = person_of(connection, settings, pending)
        traces = traces_of(connection, person, pending.names)
        person = traces.person
        # The bucket first: afterwards the warehouse no longer knows which labels are about them.
        of_bucket = erase_from_bucket(bucket, connection, settings, person, pending, log)
        # Of what the objects of a place left in the warehouse nothing tells the place: all of it goes with any.
        rows = erase_from_warehouse(connection, replace(person, takes_mentions=bool(pending.also)))
        for table, count in rows.items():
            log(f"{count:,} rows removed from {table}")
    root = bucket.root.resolve() if isinstance(bucket, LocalBucket) else None
    files = [
        path.relative_to(settings.data_dir).as_posix()
        for path in _other_files(settings.data_dir, root)
        if _erase_from_file(
            path, _as_told(path.relative_to(settings.data_dir.resolve()).as_posix(), traces, pending.also)
        )
    ]
    return ErasureReport(of_bucket, rows, files)


def _as_told(place: str, traces: Traces, also: Sequence[str]) -> Traces:
    return replace(traces, person=replace(traces.person, takes_mentions=is_also(place, also)))


def person_of(connection: duckdb.DuckDBPyConnection, settings: Settings, pending: PendingErasure) -> Person:
    """The person with details that only the warehouse has, kept in the journal until the erasure is finished."""
    if settings.pseudonymises and re.fullmatch(PATTERN, pending.worker_id):
        raise SettingsError(
            f"WORKER is {pending.worker_id!r}, a pseudonym; expected the worker's own id, as the cameras send it."
        )
    ids = frozenset({pending.worker_id, stored_id(settings, pending.site_id, pending.worker_id)})
    names = connection.execute(
        "select distinct name from raw.workers where site_id = ? and list_contains(?, worker_id) and name is not null",
        [pending.site_id, sorted(ids)],
    ).fetchall()
    pending.names = sorted({*pending.names, *(name for (name,) in names)})
    pending.event_keys = sorted({*pending.event_keys, *event_keys_of(connection, pending.site_id, ids)})
    pending.save()
    return Person(pending.site_id, pending.worker_id, ids, frozenset(pending.event_keys))


def _other_files(data_dir: Path, bucket_root: Path | None) -> list[Path]:
    """Logs, samples, and whatever no place of the inventory has."""
    root = data_dir.resolve()
    return [
        path
        for path in sorted(root.rglob("*"))
        if path.is_file()
        and not path.is_symlink()
        and kind_of(path.relative_to(root).as_posix()) in _OURS
        and not (bucket_root is not None and path.is_relative_to(bucket_root))
    ]


def _erase_from_file(path: Path, traces: Traces) -> bool:
    """Remove the person's lines, rows or records from a file; False if there are none."""
    try:
        content = path.read_bytes()
        kept = _parquet_without(path, traces) if content[:4] == b"PAR1" else _text_without(path, content, traces)
        if kept is None or kept == content:
            return False
        write_whole(path, kept)
    except OSError as error:
        raise WarehouseError(f"{path} cannot be rewritten: {error.strerror}.") from error
    return True


def _parquet_without(path: Path, traces: Traces) -> bytes | None:
    relation = "read_parquet('" + str(path).replace("'", "''") + "')"
    arriving = path.with_name(f".{path.name}.part")
    with duckdb.connect() as connection:
        if not traces.count_rows(connection, relation):
            return None
        condition = traces.condition(connection, relation)
        try:
            connection.execute(
                f"copy (from {relation} where not coalesce({condition}, false)) to $path (format parquet)",
                {"path": str(arriving)},
            )
            return arriving.read_bytes()
        finally:
            arriving.unlink(missing_ok=True)


def _json_without(path: Path, content: bytes, traces: Traces) -> bytes | None:
    if _is_alert_about(content, traces.person):
        return b""  # an alert that was sent stays marked as sent, without its text
    raws = split_records(content).raws
    if not any(traces.in_record(raw, path.as_posix()) for raw in raws):
        return None
    return b"".join(raw + b"\n" for raw in raws if not traces.in_record(raw, path.as_posix()))


def _is_alert_about(content: bytes, person: Person) -> bool:
    """Whether a file of the alerts' outbox names the person."""
    try:
        message = json.loads(content)["message"]
        is_near = message["metric"] in NAMING_METRICS and message["site_id"] in (person.site_id, "*")
        return is_near and bool(person.words.search(message["sentence"]))
    except (ValueError, TypeError, KeyError):
        return False


def _text_without(path: Path, content: bytes, traces: Traces) -> bytes | None:
    if path.suffix == ".csv":
        try:
            return rows_without_person(content, traces.person)[0]
        except ValueError:
            return None
    if content.lstrip()[:1] in (b"{", b"["):
        return _json_without(path, content, traces)
    try:
        lines = content.decode("utf-8").splitlines(keepends=True)
    except UnicodeDecodeError:
        return None
    kept = [line for line in lines if not traces.in_line(line)]
    return None if len(kept) == len(lines) else "".join(kept).encode()
