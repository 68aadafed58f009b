"""Removes the workers of sites whose people must not be known (`people` is `none` in sites.csv) from stored data.

Reading removes the worker from everything that lands later. Only the bucket still has the removed ids.
"""

from __future__ import annotations

from dataclasses import replace

import duckdb
import pyarrow as pa

from ingestion.contract.event_key import EVENT_KEY_SQL
from ingestion.identity.identity import Identity, hide_field_names, people_of, redact_rejected
from ingestion.identity.journal import note_renamed, owe_purge
from ingestion.settings import Settings
from ingestion.stored_tables import Table, quoted, tables_with
from ingestion.warehouse import transaction

_NO_WORKER = "cast(null as varchar)"


def nameless_sites(connection: duckdb.DuckDBPyConnection) -> frozenset[str]:
    """The sites for which the registry in force says `people` is `none`."""
    rows = connection.execute("select site_id from raw.sites where people = 'none'").fetchall()
    return frozenset(site for (site,) in rows)


def settle_people(connection: duckdb.DuckDBPyConnection, settings: Settings, identity: Identity) -> Identity:
    """Remove the workers of sites that have become nameless from stored data; a purge of older copies becomes pending.

    Runs after the registry is settled and before anything lands. Events of these workers become events of the station,
    and their labels follow.
    """
    sites = nameless_sites(connection)
    known = {site for (site,) in connection.execute("select site_id from raw.nameless_sites").fetchall()}
    if sites - known:
        note_renamed(settings, *people_of(connection, sites - known))
        owe_purge(settings)
    with transaction(connection):
        connection.execute("delete from raw.workers where list_contains($sites, site_id)", {"sites": sorted(sites)})
        if sites != known:
            if sites - known:
                _convert(connection, sites - known)
            if known - sites:  # the next batch reads the names again
                connection.execute("update raw.registry_files set content_hash = '' where file = 'workers.csv'")
            connection.execute("delete from raw.nameless_sites")
            connection.execute("insert into raw.nameless_sites select unnest($sites)", {"sites": sorted(sites)})
    return replace(identity, nameless_sites=sites)


def _convert(connection: duckdb.DuckDBPyConnection, sites: frozenset[str]) -> None:
    connection.register("nameless", pa.table({"site_id": pa.array(sorted(sites), pa.string())}))
    _rename_keys(connection)
    of_them = "worker_id is not null and site_id in (select site_id from nameless)"
    for table in tables_with(connection, "site_id", "worker_id"):
        columns = [name for name, *_ in connection.execute(f"describe {quoted(table)}").fetchall()]
        # Events are kept, and so are frozen intervals, which cannot be computed again.
        is_kept = table == Table("raw", "events") or (
            table.schema == "frozen" and bool({"started_at", "event_key"} & set(columns))
        )
        if is_kept:
            connection.execute(f"update {quoted(table)} set worker_id = null where {of_them}")
        else:  # rows about persons; computed ones are computed again
            connection.execute(f"delete from {quoted(table)} where {of_them}")
    if Table("build", "state") in tables_with(connection):
        connection.execute("delete from build.state")
    redact_rejected(connection, None, sites)
    hide_field_names(connection, sites)
    connection.unregister("nameless")


def _rename_keys(connection: duckdb.DuckDBPyConnection) -> None:
    """Update event keys, which contain the worker's id. Events that differ only in the worker become one."""
    connection.execute(
        f"""
        create or replace temp table renamed_keys as
        select distinct {EVENT_KEY_SQL} as old_key, {EVENT_KEY_SQL.replace("worker_id", _NO_WORKER)} as new_key
        from raw.events
        where worker_id is not null and site_id in (select site_id from nameless)
        """
    )
    connection.execute(
        """
        update raw.labels set event_key = new_key, payload = replace(payload, old_key, new_key)
        from renamed_keys where labels.event_key = renamed_keys.old_key;

        insert or ignore into raw.labelled_keys
        select distinct on (new_key) new_key, site_id, event_at
        from raw.labelled_keys inner join renamed_keys on event_key = old_key;
        delete from raw.labelled_keys where event_key in (select old_key from renamed_keys);

        insert or ignore into raw.dropped_reviews
        select distinct on (new_key) new_key, file_name
        from raw.dropped_reviews inner join renamed_keys on event_key = old_key;
        delete from raw.dropped_reviews where event_key in (select old_key from renamed_keys);
        """
    )
    for table in tables_with(connection, "event_key"):
        if table.schema == "frozen":
            connection.execute(
                f"update {quoted(table)} as named set event_key = new_key from renamed_keys "
                "where named.event_key = renamed_keys.old_key"
            )
