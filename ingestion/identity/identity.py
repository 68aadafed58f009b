"""How the warehouse identifies people (named, pseudonym, aggregate), and the one-way change from ids to pseudonyms.

pseudonyms.py computes the pseudonyms. publishing/suppression.py decides what is published about whom.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.contract.event_key import EVENT_KEY_SQL
from ingestion.contract.events import folder_of
from ingestion.errors import SettingsError
from ingestion.identity.journal import note_renamed, owe_purge
from ingestion.identity.payloads import NAME_NOT_SHOWN, redact, shown_names
from ingestion.identity.pseudonyms import key_check, pseudonym, pseudonymise
from ingestion.identity.sentences import delete_sentences
from ingestion.records.read_objects import REJECTED_TABLE, Lot, ReadObjects
from ingestion.registry import Registry, Row
from ingestion.settings import Settings
from ingestion.stored_tables import Table, quoted, tables_with
from ingestion.warehouse import transaction


@dataclass(frozen=True, slots=True)
class Identity:
    """How landed rows identify people: by ids as sent, by pseudonyms under a key, or not at all (`nameless_sites`)."""

    key: bytes | None
    nameless_sites: frozenset[str] = frozenset()

    def registry(self, registry: Registry) -> Registry:
        """The registry in its stored form: with a key, workers have their pseudonyms and no names."""
        if self.key is None:
            return registry
        workers: list[Row] = [
            {**row, "worker_id": pseudonym(self.key, str(row["site_id"]), str(row["worker_id"])), "name": None}
            for row in registry.workers
        ]
        return replace(registry, workers=workers)

    def records(self, records: ReadObjects) -> ReadObjects:
        """The records in their stored form: with a key, rows have pseudonyms and rejected texts are redacted."""
        if self.key is not None or self.nameless_sites:
            records.rows = self._hidden(records, records.rows)
        return records

    def _hidden(self, records: ReadObjects, lots: Iterable[Lot]) -> Iterator[Lot]:
        nameless: set[int] = set()  # objects with records of nameless sites
        for table, rows in lots:
            if table != REJECTED_TABLE:
                if self.nameless_sites and "site_id" in rows.column_names:
                    of_them = pc.is_in(rows["site_id"].cast(pa.string()), pa.array(sorted(self.nameless_sites)))
                    nameless |= set(rows["object_index"].filter(of_them).to_pylist())
                yield Lot(table, rows if self.key is None else pseudonymise(rows, self.key))
                continue
            columns = {name: rows[name].to_pylist() for name in rows.column_names}
            folders = (folder_of(records.objects[index].key) for index in columns["object_index"])
            texts = zip(columns["payload"], columns["detail"], folders, strict=True)
            redacted = [redact(*text, self.key, self.nameless_sites) for text in texts]
            pairs = zip(columns["object_index"], columns["payload"], redacted, strict=True)
            nameless |= {index for index, before, (after, _) in pairs if before != after}
            columns["payload"], columns["detail"] = ([one[place] for one in redacted] for place in range(2))
            yield Lot(table, pa.table(columns, schema=rows.schema))
        for index in nameless if self.key is None else range(len(records.objects)):
            records.unexpected_fields[index] = shown_names(records.unexpected_fields[index])


def settle_identity(connection: duckdb.DuckDBPyConnection, settings: Settings) -> Identity:
    """Convert the stored ids as the settings require, and note that older copies must be purged (journal.py).

    Raises:
        SettingsError: the warehouse holds pseudonyms of another key, or pseudonyms although the setting requires ids;
            nothing was changed.
    """
    row = connection.execute("from raw.identity").fetchone()
    stored = row or ("named", False, None, settings.min_group)
    key = settings.secret_key if settings.pseudonymises else None
    if stored[1] and key is None:
        raise SettingsError(
            f"FLOORHOUSE_WORKER_IDENTITY is {settings.worker_identity!r} without a key, but the warehouse "
            f"{settings.warehouse_path} holds pseudonyms, which cannot be turned back into worker ids; allowed: "
            "pseudonym or aggregate with the key that they were made with, or another data folder."
        )
    if key is not None and stored[1] and stored[2] != key_check(key):
        raise SettingsError(
            "FLOORHOUSE_PSEUDONYM_KEY is not shown here; allowed: the key that the pseudonyms in the warehouse "
            f"{settings.warehouse_path} were made with, or another data folder."
        )
    wanted = (settings.worker_identity, key is not None, key_check(key) if key else None, settings.min_group)
    if row != wanted:
        if stored != wanted:
            owe_purge(settings)
        if key is not None and not stored[1]:
            note_renamed(settings, *people_of(connection))
        with transaction(connection):
            if key is not None and not stored[1]:
                _convert(connection, key)
            connection.execute("delete from raw.identity")
            connection.execute("insert into raw.identity values (?, ?, ?, ?)", list(wanted))
    return Identity(key)


def people_of(
    connection: duckdb.DuckDBPyConnection, sites: frozenset[str] | None = None
) -> tuple[list[tuple[str, str]], list[str]]:
    """Everybody whom the warehouse knows, or only those of some sites, as pairs of site and id; and their names."""
    pairs: set[tuple[str, str]] = set()
    for table in tables_with(connection, "site_id", "worker_id"):
        query = f"select distinct site_id, worker_id from {quoted(table)} where site_id is not null"
        pairs |= set(connection.execute(f"{query} and worker_id is not null").fetchall())
    rows = connection.execute("select distinct site_id, name from raw.workers where name is not null").fetchall()
    chosen = [pair for pair in pairs if sites is None or pair[0] in sites]
    return sorted(chosen), sorted({name for site, name in rows if sites is None or site in sites})


def stored_id(settings: Settings, site_id: str, worker_id: str) -> str:
    """The id under which the warehouse stores the worker whom the cameras call `worker_id`."""
    key = settings.secret_key if settings.pseudonymises else None
    return worker_id if key is None else pseudonym(key, site_id, worker_id)


def _convert(connection: duckdb.DuckDBPyConnection, key: bytes) -> None:
    """Replace ids by tokens in every table with both site and worker.

    Convert names and rejected texts as landing does.
    """
    tables = tables_with(connection, "site_id", "worker_id")
    pairs, _ = people_of(connection)
    renamed = [(site, worker, pseudonym(key, site, worker)) for site, worker in pairs]
    columns = zip(*renamed, strict=True) if renamed else ([], [], [])
    tokens = pa.table(
        {name: pa.array(values, pa.string()) for name, values in zip(("site", "worker", "token"), columns, strict=True)}
    )
    connection.register("tokens", tokens)
    _rename_keys(connection)
    # Keys of the sample that were computed from the ids would let anybody who tries all ids find the pseudonyms. The
    # purge removes the files, and the sample is drawn again.
    connection.execute(
        "delete from raw.dropped_reviews where event_key in "
        f"(select {EVENT_KEY_SQL} from raw.events where worker_id is not null)"
    )
    for table in tables:
        named = ", worker_name = tokens.token" if table in tables_with(connection, "worker_name") else ""
        connection.execute(
            f"update {quoted(table)} as named set worker_id = tokens.token{named} from tokens "
            "where named.site_id = tokens.site and named.worker_id = tokens.worker"
        )
    for table in tables_with(connection, "site_id", "worker_id", "name"):
        connection.execute(f"update {quoted(table)} set name = null")
    if Table("build", "state") in tables_with(connection):  # the choice of the review sample depends on the ids
        connection.execute("delete from build.state")
    redact_rejected(connection, key)
    hide_field_names(connection)
    delete_sentences(connection)


def _rename_keys(connection: duckdb.DuckDBPyConnection) -> None:
    """Update the labels' event keys, which contain the worker's id, to those of the stored events."""
    renamed = EVENT_KEY_SQL.replace("worker_id", "tokens.token").replace("site_id", "events.site_id")
    connection.execute(
        f"""
        create or replace temp table renamed_keys as
        select distinct {EVENT_KEY_SQL.replace("site_id", "events.site_id")} as old_key, {renamed} as new_key
        from raw.events as events
        inner join tokens on events.site_id = tokens.site and events.worker_id = tokens.worker
        where old_key in (select event_key from raw.labelled_keys)
        """
    )
    for table in tables_with(connection, "event_key"):
        text = ", payload = replace(payload, old_key, new_key)" if table.name == "labels" else ""
        connection.execute(
            f"update {quoted(table)} as named set event_key = new_key{text} from renamed_keys "
            "where named.event_key = renamed_keys.old_key"
        )


def hide_field_names(connection: duckdb.DuckDBPyConnection, nameless_sites: frozenset[str] | None = None) -> None:
    """Apply `shown_names` to the stored names of unknown fields.

    Covers all objects, or only those that have records of `nameless_sites`.
    """
    rows = connection.execute("select distinct unnest(unexpected_fields) from raw.landed_objects").fetchall()
    names = [name for (name,) in rows]
    hidden = [name for name in names if shown_names([name]) != {name}]
    of_sites = (
        "true"
        if nameless_sites is None
        else "object_id in (select object_id from raw.unexpected_fields where list_contains($sites, site_id) "
        "union all select object_id from raw.rejected_records where payload = '' "
        "union all select object_id from raw.events where list_contains($sites, site_id))"
    )
    values: dict[str, object] = {"shown": NAME_NOT_SHOWN, "hidden": hidden}
    if nameless_sites is not None:
        values["sites"] = sorted(nameless_sites)
    connection.execute(
        "create or replace temp table renamed_fields as select object_id, list_sort(list_distinct(list_transform("
        "unexpected_fields, lambda name: case when list_contains($hidden, name) then $shown else name end"
        f"))) as names from raw.landed_objects where len(unexpected_fields) > 0 and {of_sites}",
        values,
    )
    connection.execute(
        "update raw.landed_objects as landed set unexpected_fields = names from renamed_fields "
        "where landed.object_id = renamed_fields.object_id and unexpected_fields <> names"
    )
    connection.execute(
        "update raw.unexpected_fields as fields set field = $shown from renamed_fields "
        "where fields.object_id = renamed_fields.object_id and list_contains($hidden, field)",
        {"shown": NAME_NOT_SHOWN, "hidden": hidden},
    )
    connection.execute(
        "create or replace temp table distinct_fields as select distinct * from raw.unexpected_fields;"
        "delete from raw.unexpected_fields; insert into raw.unexpected_fields by name from distinct_fields;"
    )


def redact_rejected(
    connection: duckdb.DuckDBPyConnection, key: bytes | None, nameless_sites: frozenset[str] = frozenset()
) -> None:
    """Apply `redact` to the texts of the stored rejected records."""
    rows = connection.execute(
        """
        select object_id, position, part, payload, detail, object_key
        from raw.rejected_records as rejected
        inner join raw.landed_objects as landed using (object_id)
        where starts_with(landed.object_key, 'events/')
        """
    ).fetchall()
    redacted = [
        (object_id, position, part, *redact(payload, detail, folder_of(object_key), key, nameless_sites))
        for object_id, position, part, payload, detail, object_key in rows
    ]
    texts = pa.table(  # noqa: F841  # DuckDB finds the table by its name
        {
            "object_id": pa.array([row[0] for row in redacted], pa.int64()),
            "position": pa.array([row[1] for row in redacted], pa.int64()),
            "part": pa.array([row[2] for row in redacted], pa.int64()),
            "payload": pa.array([row[3] for row in redacted], pa.string()),
            "detail": pa.array([row[4] for row in redacted], pa.string()),
        }
    )
    connection.execute(
        "update raw.rejected_records as rejected set payload = texts.payload, detail = texts.detail from texts "
        "where rejected.object_id = texts.object_id and rejected.position = texts.position "
        "and rejected.part = texts.part"
    )
