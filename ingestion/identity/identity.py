"""How the warehouse names people (named, pseudonym, aggregate), and the one-way change from ids to pseudonyms.

pseudonyms.py defines a pseudonym; publishing/suppression.py decides what is published about whom.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import duckdb
import pyarrow as pa

from ingestion.contract.event_key import EVENT_KEY_SQL
from ingestion.contract.events import folder_of
from ingestion.errors import SettingsError
from ingestion.identity.journal import owe_purge
from ingestion.identity.payloads import redact
from ingestion.identity.pseudonyms import key_check, pseudonym, pseudonymise
from ingestion.records.read_objects import REJECTED_TABLE, Lot, ReadObjects
from ingestion.registry import Registry, Row
from ingestion.settings import Settings
from ingestion.stored_tables import Table, quoted, tables_with
from ingestion.warehouse import transaction


@dataclass(frozen=True, slots=True)
class Identity:
    """How what is landed names people: as it came, by pseudonyms of a key, or, at `nameless_sites`, not at all."""

    key: bytes | None
    nameless_sites: frozenset[str] = frozenset()

    def registry(self, registry: Registry) -> Registry:
        """The registry as it is stored: with a key, workers by their pseudonyms and without names."""
        if self.key is None:
            return registry
        workers: list[Row] = [
            {**row, "worker_id": pseudonym(self.key, str(row["site_id"]), str(row["worker_id"])), "name": None}
            for row in registry.workers
        ]
        return replace(registry, workers=workers)

    def records(self, records: ReadObjects) -> ReadObjects:
        """What was read, as it is stored: with a key, rows under pseudonyms, the texts of rejected ones redacted."""
        if self.key is not None or self.nameless_sites:
            records.rows = self._hidden(records, records.rows)
        return records

    def _hidden(self, records: ReadObjects, lots: Iterable[Lot]) -> Iterator[Lot]:
        for table, rows in lots:
            if table != REJECTED_TABLE:
                yield Lot(table, rows if self.key is None else pseudonymise(rows, self.key))
                continue
            columns = {name: rows[name].to_pylist() for name in rows.column_names}
            folders = (folder_of(records.objects[index].key) for index in columns["object_index"])
            texts = zip(columns["payload"], columns["detail"], folders, strict=True)
            redacted = [redact(*text, self.key, self.nameless_sites) for text in texts]
            columns["payload"], columns["detail"] = ([one[place] for one in redacted] for place in range(2))
            yield Lot(table, pa.table(columns, schema=rows.schema))


def settle_identity(connection: duckdb.DuckDBPyConnection, settings: Settings) -> Identity:
    """Convert the stored ids to what the settings ask for, and note that older copies must be purged (journal.py).

    Raises:
        SettingsError: the warehouse holds pseudonyms of another key, or pseudonyms although the setting asks for ids;
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
        with transaction(connection):
            if key is not None and not stored[1]:
                _convert(connection, key)
            connection.execute("delete from raw.identity")
            connection.execute("insert into raw.identity values (?, ?, ?, ?)", list(wanted))
    return Identity(key)


def stored_id(settings: Settings, site_id: str, worker_id: str) -> str:
    """The id that the warehouse has for a worker whom the cameras call `worker_id`."""
    key = settings.secret_key if settings.pseudonymises else None
    return worker_id if key is None else pseudonym(key, site_id, worker_id)


def _convert(connection: duckdb.DuckDBPyConnection, key: bytes) -> None:
    """Tokens in place of ids in every table that has both site and worker; names and rejected texts as at landing."""
    tables = tables_with(connection, "site_id", "worker_id")
    pairs: set[tuple[str, str]] = set()
    for table in tables:
        pairs |= set(connection.execute(f"select distinct site_id, worker_id from {quoted(table)}").fetchall())
    pairs = {(site, worker) for site, worker in pairs if site is not None and worker is not None}
    renamed = [(site, worker, pseudonym(key, site, worker)) for site, worker in sorted(pairs)]
    columns = zip(*renamed, strict=True) if renamed else ([], [], [])
    tokens = pa.table(
        {name: pa.array(values, pa.string()) for name, values in zip(("site", "worker", "token"), columns, strict=True)}
    )
    connection.register("tokens", tokens)
    _rename_keys(connection)
    for table in tables:
        named = ", worker_name = tokens.token" if table in tables_with(connection, "worker_name") else ""
        connection.execute(
            f"update {quoted(table)} as named set worker_id = tokens.token{named} from tokens "
            "where named.site_id = tokens.site and named.worker_id = tokens.worker"
        )
    for table in tables_with(connection, "site_id", "worker_id", "name"):
        connection.execute(f"update {quoted(table)} set name = null")
    if Table("build", "state") in tables_with(connection):  # what is sampled for review follows from the ids
        connection.execute("delete from build.state")
    redact_rejected(connection, key)


def _rename_keys(connection: duckdb.DuckDBPyConnection) -> None:
    """Labels name an event by a key that holds its worker's id: those of stored events follow it."""
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


def redact_rejected(
    connection: duckdb.DuckDBPyConnection, key: bytes | None, nameless_sites: frozenset[str] = frozenset()
) -> None:
    """The texts of the rejected records that are stored, as `redact` leaves them."""
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
