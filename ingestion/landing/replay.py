"""Judges rejected records again after their cause is fixed, for instance by a release that accepts more.

`floorhouse replay` runs it; the next batch then computes the consequences.

An object whose rejected records do not all have rows, because it was torn or had too many, is read again as a whole
(`rereading.py`). For all other objects, newly accepted records move from the rejected records to the events or labels
in one transaction, and the object's counts follow. A second run changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC
from typing import Any

import duckdb
import pyarrow as pa

from ingestion.contract.events import Refusal, folder_of, judge_record
from ingestion.contract.labels import judge_label
from ingestion.identity.identity import settle_identity
from ingestion.identity.people import nameless_sites
from ingestion.landing.label_settling import find_labelled_events, forget_lost_events
from ingestion.landing.pipeline import TABLES, table_of
from ingestion.landing.rereading import reread_objects
from ingestion.landing.unexpected_fields import record_unexpected_fields
from ingestion.reading.column_rules import EVENT_COLUMNS
from ingestion.reading.events import columns_of
from ingestion.reading.labels import LABEL_COLUMNS, columns_of_label
from ingestion.settings import Settings, read_settings
from ingestion.warehouse import changed_minutes_of, changed_objects_of, open_warehouse, transaction, warehouse_lock

# The stored text of a record shows U+FFFD for bytes that are not UTF-8. Such a text is not the record: judging it again
# would accept what the camera never sent. A record that was sent with U+FFFD in it is not malformed.
_CANDIDATES = """
    select
        rejected.object_id,
        rejected.position,
        rejected.part,
        rejected.payload,
        landed.object_key,
        landed.landed_at
    from raw.rejected_records as rejected
    inner join raw.landed_objects as landed using (object_id)
    where
        rejected.payload is not null
        -- every batch checks whether the event of such a label has arrived; accepting the label here would claim that
        -- it has
        and rejected.reason <> 'unknown_event_key'
        and not (rejected.reason = 'malformed_json' and contains(rejected.payload, '\ufffd'))
        -- what never reached a mapping is no record of the contract
        and not (rejected.reason = 'malformed_json' and landed.mapping is not null)
        and (rejected.object_id, rejected.position, rejected.part) > ($object_id, $position, $part)
    order by rejected.object_id, rejected.position, rejected.part
    limit $share
"""

# Records held at once and committed in one transaction.
SHARE_RECORDS = 50_000


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """How many records were judged again, and how many of them are accepted now.

    `objects` of a source were read again under its mapping in force; `missing` ones are no longer in the bucket.
    """

    tried: int
    accepted: int
    objects: int = 0
    missing: int = 0


def replay_rejected(settings: Settings, sources: Collection[str] = ()) -> ReplayReport:
    """Judge every rejected record again as of its original landing. The caller holds the warehouse's lock.

    With `sources`, first read the landed objects of these sources again under the mappings in force, each exactly once.
    Whether a timestamp is in range depends on when its object landed, so a replay does not change that decision.
    """
    with open_warehouse(settings) as connection:
        identity = settle_identity(connection, settings)  # records stored under pseudonyms are judged under them
        reread = reread_objects(connection, settings, identity, sources)
        tried, accepted = reread.tried, reread.accepted
        last = (-1, -1, -1)
        while candidates := _next_share(connection, last):
            last = candidates[-1][:3]
            tried += len(candidates)
            accepted += _replay(connection, candidates)
        with transaction(connection):
            if reread.objects:
                forget_lost_events(connection)
            find_labelled_events(connection)
    if not sources:
        return ReplayReport(tried, accepted)
    return ReplayReport(tried, accepted, reread.objects, reread.missing)


def _next_share(connection: duckdb.DuckDBPyConnection, last: tuple[int, int, int]) -> list[Any]:
    """The records that follow the last one tried: (object_id, position, part, payload, object_key, landed_at)."""
    named = dict(zip(("object_id", "position", "part"), last, strict=True))
    return connection.execute(_CANDIDATES, {**named, "share": SHARE_RECORDS}).fetchall()


def _replay(connection: duckdb.DuckDBPyConnection, candidates: list[Any]) -> int:
    accepted: dict[str, list[dict[str, object]]] = {table: [] for table in TABLES.values()}
    unexpected_fields: list[tuple[int, str]] = []
    nameless = nameless_sites(connection)
    for object_id, position, part, payload, key, landed_at in candidates:
        table, raw, at = table_of(key), payload.encode("utf-8"), landed_at.astimezone(UTC)
        if table == "labels":
            label, unexpected = judge_label(raw, at)
            row = None if isinstance(label, Refusal) else columns_of_label(label, payload, object_id, position, part)
        else:
            event, unexpected = judge_record(raw, folder_of(key), at, nameless)
            row = None if isinstance(event, Refusal) else columns_of(event, object_id, position, part)
        if row is not None:
            accepted[table].append(row)
            unexpected_fields += [(object_id, name) for name in unexpected]
    for table, schema in (("events", EVENT_COLUMNS), ("labels", LABEL_COLUMNS)):
        if accepted[table]:
            _move(connection, table, pa.Table.from_pylist(accepted[table], schema=schema), unexpected_fields)
    return sum(map(len, accepted.values()))


def _move(
    connection: duckdb.DuckDBPyConnection, table: str, accepted: pa.Table, unexpected_fields: list[tuple[int, str]]
) -> None:
    # DuckDB finds these tables by their variable names
    accepted = accepted.rename_columns({"object_index": "object_id"})
    names = pa.table(  # noqa: F841
        {
            "object_id": pa.array([object_id for object_id, _ in unexpected_fields], pa.int64()),
            "name": pa.array([name for _, name in unexpected_fields], pa.string()),
        }
    )
    with transaction(connection):
        connection.execute(f"insert into raw.{table} by name select * from accepted")
        if table == "events":
            connection.execute(changed_minutes_of("accepted"))
        connection.execute(changed_objects_of("raw.landed_objects semi join accepted using (object_id)"))
        connection.execute(
            "delete from raw.rejected_records using accepted "
            "where rejected_records.object_id = accepted.object_id and rejected_records.position = accepted.position "
            "and rejected_records.part = accepted.part"
        )
        connection.execute(
            """
            update raw.landed_objects
            set
                accepted = landed_objects.accepted + moved.records,
                rejected = landed_objects.rejected - moved.records,
                unexpected_fields = list_sort(list_distinct(list_concat(landed_objects.unexpected_fields, moved.names)))
            from (
                select
                    accepted.object_id,
                    count(*) as records,
                    coalesce(any_value(named.names), []) as names
                from accepted
                left join (
                    select object_id, list(name) as names from names group by object_id
                ) as named using (object_id)
                group by accepted.object_id
            ) as moved
            where landed_objects.object_id = moved.object_id
            """
        )
        if table == "events":
            record_unexpected_fields(connection, set(accepted["object_id"].to_pylist()))


def replay_all(sources: Collection[str] = ()) -> int:
    """Judge every rejected record of the plant again, print how many are accepted now, and return exit status 0.

    Raises:
        FloorhouseError: a bad setting, there is no warehouse to change, or a source has no mapping that works.
    """
    settings = read_settings()
    with warehouse_lock(settings):
        report = replay_rejected(settings, sources)
    if sources:
        print(f"{report.objects:,} objects read again under their mapping in force")
    if report.missing:
        print(f"{report.missing:,} objects are no longer in the bucket and stay as they are")
    print(f"{report.tried:,} rejected records tried again, {report.accepted:,} of them accepted now")
    return 0
