"""The transaction that lands objects: accepted and rejected records, manifest rows and what follows from them.

All landed rows are written here. Nothing here reads the bucket.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import duckdb
import pyarrow as pa

from ingestion.bucket import ObjectReplaced
from ingestion.errors import WarehouseError
from ingestion.landing.manifest import storable_key
from ingestion.landing.unexpected_fields import record_unexpected_fields
from ingestion.landing.unread import named
from ingestion.records.read_objects import MAX_FIELDS, MAX_LISTED, NOT_LISTED, Lot, ReadObjects
from ingestion.warehouse import changed_minutes_of, changed_objects_of, transaction


def commit(connection: duckdb.DuckDBPyConnection, table: str, records: ReadObjects, now: datetime) -> list[str]:
    """Store the accepted and rejected records and the manifest rows of some objects in one transaction.

    Returns one message for each limit that was reached.
    """
    with transaction(connection):
        row = connection.execute("select coalesce(max(object_id), 0) from raw.landed_objects").fetchone()
        first_id = (row[0] if row else 0) + 1
        for lot in records.rows:
            _append(connection, lot, first_id)
        _refuse_incomplete(records)
        objects = records.objects
        if not objects:
            return []  # all of them have landed before
        ids = range(first_id, first_id + len(objects))
        manifest = pa.table(  # noqa: F841  # DuckDB finds the tables by their names
            {
                "object_id": pa.array(ids, pa.int64()),
                "object_key": [storable_key(one.key) for one in objects],
                "etag": [one.etag for one in objects],
                "bytes": pa.array([one.size for one in objects], pa.int64()),
                "records": pa.array(records.record_counts, pa.int64()),
                "rejected": pa.array(records.rejected_counts, pa.int64()),
                "mapping": pa.array([records.mapping] * len(objects), pa.string()),
                "source_records": pa.array(records.source_counts, pa.int64()),
                "skipped_records": pa.array(records.skipped_counts, pa.int64()),
                "unexpected_fields": pa.array(map(records.fields_of, range(len(objects))), pa.list_(pa.string())),
            }
        )
        connection.execute(
            "insert into raw.landed_objects by name "
            "select *, records - rejected as accepted, $now::timestamptz as landed_at from manifest",
            {"now": now},
        )
        connection.execute(changed_minutes_of("raw.events where object_id >= $first_id"), {"first_id": first_id})
        reached: list[str] = []
        if table == "events":
            ids_with_fields = [one for one, names in zip(ids, records.unexpected_fields, strict=True) if names]
            reached = record_unexpected_fields(connection, ids_with_fields)
        _list_first_rejected(connection, first_id, now)
        if records.has_earlier:
            _supersede(connection, first_id, now)
        _check_conservation(connection, table, first_id)
        return [*_bounds_reached(records), *reached]


def _refuse_incomplete(records: ReadObjects) -> None:
    if records.replaced is not None:
        raise ObjectReplaced(records.replaced)
    if records.failure is not None:
        raise records.failure


class _Unchanged(Exception):
    """The object reads as it did before, so the transaction is rolled back."""


def replace_object(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    records: ReadObjects,
    object_id: int,
    before: tuple[int, int, str | None],
) -> int | None:
    """Replace the stored rows of one object by what was read again; return the number of accepted records.

    Nothing changes if the mapping and the numbers of records and accepted records equal `before`. None means that
    nothing was read.
    """
    row = connection.execute("select landed_at from raw.landed_objects where object_id = ?", [object_id]).fetchone()
    assert row is not None
    try:
        with transaction(connection):
            this = {"object_id": object_id}
            if table == "events":
                connection.execute(changed_minutes_of("raw.events where object_id = $object_id"), this)
            for stored in (table, "rejected_records"):
                connection.execute(f"delete from raw.{stored} where object_id = $object_id", this)
            for lot in records.rows:
                _append(connection, lot, object_id)
            _refuse_incomplete(records)
            if not records.objects:
                raise _Unchanged
            rejected = records.rejected_counts[0]
            now = (records.record_counts[0], records.record_counts[0] - rejected, records.mapping)
            if now == before:
                raise _Unchanged
            connection.execute(
                "update raw.landed_objects set records = $records, accepted = $accepted, rejected = $rejected, "
                "unexpected_fields = $fields, mapping = $mapping, source_records = $source_records, "
                "skipped_records = $skipped_records where object_id = $object_id",
                {
                    **this,
                    "records": now[0],
                    "accepted": now[1],
                    "rejected": rejected,
                    "fields": records.fields_of(0),
                    "mapping": records.mapping,
                    "source_records": records.source_counts[0],
                    "skipped_records": records.skipped_counts[0],
                },
            )
            connection.execute(changed_objects_of("raw.landed_objects where object_id = $object_id"), this)
            if table == "events":
                connection.execute(changed_minutes_of("raw.events where object_id = $object_id"), this)
                record_unexpected_fields(connection, [object_id])
            _list_first_rejected(connection, object_id, row[0], object_id)
            _stay_superseded(connection, object_id)
    except _Unchanged:
        return before[1] if records.objects else None
    return now[1]


def _bounds_reached(records: ReadObjects) -> Iterator[str]:
    keys = [records.objects[index].key for index in sorted(records.has_more_fields)]
    if keys:
        yield named(
            f"{len(keys):,} objects have more than {MAX_FIELDS} fields that nobody expects, of which the first in byte "
            "order are kept",
            keys,
        )
    full = [one.key for one, count in zip(records.objects, records.rejected_counts, strict=True) if count > MAX_LISTED]
    if full:
        yield named(
            f"{len(full):,} objects have more than {MAX_LISTED:,} rejected records, of which the first have rows", full
        )


def _list_first_rejected(
    connection: duckdb.DuckDBPyConnection, first_id: int, now: datetime, last_id: int | None = None
) -> None:
    """Keep `MAX_LISTED` rejected records of each object from `first_id` to `last_id`, and count the others."""
    connection.execute(
        f"""
        create or replace temp table full_objects as
        select object_id, rejected from raw.landed_objects
        where object_id >= $first_id and object_id <= coalesce($last_id, object_id) and rejected > {MAX_LISTED}
        """,
        {"first_id": first_id, "last_id": last_id},
    )
    connection.execute(
        f"""
        delete from raw.rejected_records using (
            select object_id, position, part
            from raw.rejected_records
            semi join full_objects using (object_id)
            qualify row_number() over (partition by object_id order by position, part) > {MAX_LISTED}
        ) as others
        where
            rejected_records.object_id = others.object_id
            and rejected_records.position = others.position
            and rejected_records.part = others.part
        """
    )
    connection.execute(
        f"""
        insert into raw.rejected_records by name
        select
            object_id,
            0 as position,
            2 as part,
            '{NOT_LISTED}' as reason,
            format('{{:,}} more records of the object are rejected; the first {MAX_LISTED:,} have rows of their own.',
                rejected - {MAX_LISTED}) as detail,
            $now::timestamptz as rejected_at
        from full_objects
        """,
        {"now": now},
    )


def _supersede(connection: duckdb.DuckDBPyConnection, first_id: int, now: datetime) -> None:
    """Mark the rejected records of earlier contents as superseded by the objects from `first_id` on."""
    earlier = """
        raw.landed_objects as earlier
        where
            object_id < $first_id
            and object_key in (select object_key from raw.landed_objects where object_id >= $first_id)
            and exists (
                select 1 from raw.rejected_records
                where rejected_records.object_id = earlier.object_id and superseded_at is null
            )
    """
    connection.execute(changed_objects_of(earlier), {"first_id": first_id})
    connection.execute(
        f"update raw.rejected_records set superseded_at = $now::timestamptz "
        f"where superseded_at is null and object_id in (select object_id from {earlier})",
        {"first_id": first_id, "now": now},
    )


def _stay_superseded(connection: duckdb.DuckDBPyConnection, object_id: int) -> None:
    """Mark the rejected records of an object again if a later content of its key has landed."""
    connection.execute(
        """
        update raw.rejected_records
        set superseded_at = later.landed_at
        from (
            select min(other.landed_at) as landed_at
            from raw.landed_objects as this
            inner join raw.landed_objects as other
                on this.object_key = other.object_key and this.object_id < other.object_id
            where this.object_id = $object_id
        ) as later
        where rejected_records.object_id = $object_id
        """,
        {"object_id": object_id},
    )


def _append(connection: duckdb.DuckDBPyConnection, lot: Lot, first_id: int) -> None:
    """Append the rows of one lot to its raw table."""
    rows = lot.rows  # noqa: F841  # DuckDB finds the table by its name
    connection.execute(
        f"insert into raw.{lot.table} by name "
        "select * exclude (object_index), object_index + $first_id as object_id from rows",
        {"first_id": first_id},
    )


def _check_conservation(connection: duckdb.DuckDBPyConnection, table: str, first_id: int) -> None:
    """Every record of the objects from `first_id` on is stored exactly once, as accepted or as rejected."""
    row = connection.execute(
        f"""
        select
            (select sum(accepted) from raw.landed_objects where object_id >= $first_id),
            (select count(*) from raw.{table} where object_id >= $first_id),
            (
                select sum(least(rejected, {MAX_LISTED}) + (rejected > {MAX_LISTED})::integer)
                from raw.landed_objects where object_id >= $first_id
            ),
            (select count(*) from raw.rejected_records where object_id >= $first_id)
        """,
        {"first_id": first_id},
    ).fetchone()
    if row is None or (row[0], row[2]) != (row[1], row[3]):
        raise WarehouseError(
            f"Records would be lost or doubled (accepted, stored, rejected, stored: {row}); nothing of them was landed."
        )
