"""Erases a person from every table of the warehouse in one transaction. The models recompute the figures later."""

from __future__ import annotations

import duckdb
import pyarrow as pa

from ingestion.contract.event_key import EVENT_KEY_SQL
from ingestion.contract.events import folder_of
from ingestion.identity.sentences import tables_that_may_name
from ingestion.stored_tables import Table, quoted, tables_with
from ingestion.warehouse import changed_minutes_of, changed_objects_of, transaction
from privacy.person import Person, is_theirs


def event_keys_of(connection: duckdb.DuckDBPyConnection, site_id: str, ids: frozenset[str]) -> frozenset[str]:
    """The keys of all stored events of a worker."""
    rows = connection.execute(
        f"select distinct {EVENT_KEY_SQL} from raw.events where site_id = $site_id and list_contains($ids, worker_id)",
        {"site_id": site_id, "ids": sorted(ids)},
    ).fetchall()
    return frozenset(key for (key,) in rows)


def erase_from_warehouse(connection: duckdb.DuckDBPyConnection, person: Person) -> dict[str, int]:
    """Delete the person's rows from tables with site and worker, labels of their events, and rejected records; return
    the deleted rows by table. Readings of counters stay without their worker, because the units of later readings are
    differences from them.
    """
    connection.register("keys", pa.table({"event_key": pa.array(sorted(person.event_keys), pa.string())}))
    named: dict[str, object] = {"site_id": person.site_id, "ids": sorted(person.ids)}
    deleted: dict[str, int] = {}
    with transaction(connection):
        # Every window that they were in is recomputed.
        theirs = "raw.events where site_id = $site_id and list_contains($ids, worker_id)"
        connection.execute(changed_minutes_of(theirs), named)
        _take_off_readings(connection, named, deleted)
        for table in tables_with(connection, "site_id", "worker_id"):
            where = "site_id = $site_id and list_contains($ids, worker_id)"
            _delete(connection, table, where, named, deleted)
        for table in tables_with(connection, "event_key"):
            _delete(connection, table, "event_key in (select event_key from keys)", {}, deleted)
        _delete_rejected(connection, person, deleted)
        if person.takes_mentions:
            _delete_field_names(connection, person, deleted)
        _delete_sentences(connection, person, deleted)
    connection.unregister("keys")
    return deleted


def _delete_sentences(connection: duckdb.DuckDBPyConnection, person: Person, deleted: dict[str, int]) -> None:
    """Delete results and incidents that name the person; the next batch evaluates them again."""
    for table, may_name in tables_that_may_name(connection):
        of_site = " and site_id in ($site_id, '*')" if "metric" in may_name else ""
        values: dict[str, object] = {"site_id": person.site_id} if of_site else {}
        rows = connection.execute(
            f"select rowid, sentence from {quoted(table)} where {may_name}{of_site}", values
        ).fetchall()
        theirs = [number for number, sentence in rows if person.words.search(sentence)]
        _delete(connection, table, "list_contains($numbers::bigint[], rowid)", {"numbers": theirs}, deleted)


def _take_off_readings(
    connection: duckdb.DuckDBPyConnection, named: dict[str, object], deleted: dict[str, int]
) -> None:
    row = connection.execute(
        "update raw.events set worker_id = null "
        "where site_id = $site_id and list_contains($ids, worker_id) and count_total is not null",
        named,
    ).fetchone()
    if row and row[0]:
        deleted["raw.events"] = row[0]


def _delete(
    connection: duckdb.DuckDBPyConnection, table: Table, where: str, values: dict[str, object], deleted: dict[str, int]
) -> None:
    row = connection.execute(f"delete from {quoted(table)} where {where}", values).fetchone()
    if row and row[0]:
        name = ".".join(table)
        deleted[name] = deleted.get(name, 0) + row[0]


def _delete_field_names(connection: duckdb.DuckDBPyConnection, person: Person, deleted: dict[str, int]) -> None:
    """Names of unknown fields that hold the person's id or name."""
    rows = connection.execute("select distinct unnest(unexpected_fields) from raw.landed_objects").fetchall()
    names = {"names": [name for (name,) in rows if person.mentioned.search(name)]}
    theirs = "raw.landed_objects where list_has_any(unexpected_fields, $names)"
    connection.execute(changed_objects_of(theirs), names)
    connection.execute(
        "update raw.landed_objects set unexpected_fields = "
        "list_filter(unexpected_fields, lambda name: not list_contains($names, name)) "
        "where list_has_any(unexpected_fields, $names)",
        names,
    )
    _delete(connection, Table("raw", "unexpected_fields"), "list_contains($names, field)", dict(names), deleted)


def _delete_rejected(connection: duckdb.DuckDBPyConnection, person: Person, deleted: dict[str, int]) -> None:
    """Delete rejected records that name the person; the mart's rows follow at the next build."""
    rows = connection.execute(
        """
        select rejected.object_id, rejected.position, rejected.part, rejected.payload, landed.object_key
        from raw.rejected_records as rejected
        inner join raw.landed_objects as landed using (object_id)
        where rejected.payload is not null
        """
    ).fetchall()
    theirs = [
        (object_id, position, part)
        for object_id, position, part, payload, key in rows
        if is_theirs(payload.encode("utf-8", "surrogatepass"), folder_of(key), person)
    ]
    gone = pa.table(  # noqa: F841  # DuckDB finds the table by its name
        {
            "object_id": pa.array([row[0] for row in theirs], pa.int64()),
            "position": pa.array([row[1] for row in theirs], pa.int64()),
            "part": pa.array([row[2] for row in theirs], pa.int64()),
        }
    )
    connection.execute(changed_objects_of("raw.landed_objects semi join gone using (object_id)"))
    row = connection.execute(
        "delete from raw.rejected_records using gone "
        "where rejected_records.object_id = gone.object_id and rejected_records.position = gone.position "
        "and rejected_records.part = gone.part"
    ).fetchone()
    if row and row[0]:
        deleted["raw.rejected_records"] = row[0]
