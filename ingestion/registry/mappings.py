"""Decides which version of each mapping is in force: a new one if it can run, else the last good one (contract §1).

`ingestion/mapping` decides what a mapping may be. Nothing here reads events.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime

import duckdb

from ingestion.bucket import Bucket, ObjectInfo
from ingestion.errors import RegistryError
from ingestion.mapping.checking import check
from ingestion.mapping.closed import ClosedDatabase
from ingestion.mapping.mapping import MAPPINGS, Mapping, MappingError, key_of, name_of
from ingestion.registry.bucket_files import PREFIX, Listing, Unreadable, fetch_content
from ingestion.registry.confirming import Confirmations
from ingestion.registry.csv_reading import decode
from ingestion.registry.files import ALL_SITES

_FOLDER = MAPPINGS.removeprefix(PREFIX)


def mappings_in_force(connection: duckdb.DuckDBPyConnection) -> dict[str, Mapping]:
    """The mappings in force, by source."""
    rows = connection.execute("select name, content from raw.mappings").fetchall()
    return {name: Mapping(name, content) for name, content in rows}


def settle_mappings(
    connection: duckdb.DuckDBPyConnection,
    bucket: Bucket,
    listing: Listing,
    moving: Collection[str],
    landed_at: datetime,
    confirmations: Confirmations,
    log: Callable[[str], None],
) -> None:
    """Store the bucket's mappings that can run; for the others keep the version in force. The caller's transaction.

    `moving` are the names of files that are still being written.
    """
    in_force = mappings_in_force(connection)
    known = {one.key.removeprefix(PREFIX) for one in in_force.values()}
    names = sorted({*listing.mappings, *known})
    connection.execute(
        "delete from raw.registry_refusals where starts_with(file, $folder) and not list_contains($names, file)",
        {"folder": _FOLDER, "names": names},
    )
    with ExitStack() as stack:
        settling = _Settling(connection, bucket, listing, landed_at, confirmations, log, stack)
        for name in names:
            source = name_of(PREFIX + name)
            assert source is not None
            if name in moving:
                log(f"{PREFIX}{name} is still being written; the next batch reads it")
                continue
            settling.settle(source, name, in_force.get(source))


@dataclass(slots=True)
class _Settling:
    """Settles the mappings of one batch, file by file."""

    connection: duckdb.DuckDBPyConnection
    bucket: Bucket
    listing: Listing
    landed_at: datetime
    confirmations: Confirmations
    log: Callable[[str], None]
    stack: ExitStack
    _database: ClosedDatabase | None = None

    def settle(self, source: str, file: str, in_force: Mapping | None) -> None:
        """Decide whether one file takes effect, and store the outcome."""
        info = self.listing.mappings.get(file)
        if info is None:
            assert in_force is not None  # else nobody knows its name
            if self.confirmations.holds(file, in_force.hash):
                self._replace(in_force, None)
                return self.log(f"{key_of(source)} is removed; objects of source={source} wait for a new one")
            hint = self.confirmations.request(file, in_force.hash)
            return self._refuse(file, in_force, in_force.hash, "gone", None, f"{key_of(source)} is gone", hint)
        try:
            content = fetch_content(self.bucket, info.key)
            mapping = Mapping(source, decode(info.key, content))
        except (Unreadable, RegistryError) as error:
            kind = "unreadable" if isinstance(error, Unreadable) else "wrong"
            return self._refuse(file, in_force, "", kind, info, str(error))
        if in_force is not None and mapping.hash == in_force.hash:
            self.confirmations.spend(file)
            return self._forget(file)
        try:
            check(mapping, self._closed())
        except MappingError as error:
            return self._refuse(file, in_force, mapping.hash, "wrong", info, str(error))
        return self._replace(in_force, mapping)

    def _closed(self) -> ClosedDatabase:
        if self._database is None:
            self._database = self.stack.enter_context(closing(ClosedDatabase()))
        return self._database

    def _forget(self, file: str) -> None:
        self.connection.execute("delete from raw.registry_refusals where file = ?", [file])

    def _replace(self, in_force: Mapping | None, mapping: Mapping | None) -> None:
        """Put a mapping in force in place of another one, and note the version."""
        one = mapping or in_force
        assert one is not None
        file = one.key.removeprefix(PREFIX)
        self._forget(file)
        self.confirmations.spend(file)
        self.connection.execute("delete from raw.mappings where name = ?", [one.name])
        change = "First version." if in_force is None else "Changed." if mapping else "Removed."
        if mapping is not None:
            self.connection.execute(
                "insert into raw.mappings by name "
                "select $name as name, $content as content, $at::timestamptz as in_force_since",
                {"name": mapping.name, "content": mapping.sql, "at": self.landed_at},
            )
            self.log(f"{mapping.key} has a new version in force, {mapping.hash}. {change}")
        self.connection.execute(
            "insert into raw.registry_versions by name select (select count(*) + 1 from raw.registry_versions) as "
            "number, $file as file, $site_id as site_id, $lines as line_count, $at::timestamptz as in_force_since, "
            "$change as change",
            {
                "file": file,
                "site_id": ALL_SITES,
                "lines": len(mapping.sql.splitlines()) if mapping else 0,
                "at": self.landed_at,
                "change": change,
            },
        )

    def _refuse(
        self,
        file: str,
        in_force: Mapping | None,
        refused_hash: str,
        kind: str,
        info: ObjectInfo | None,
        reason: str,
        hint: str = "",
    ) -> None:
        source = name_of(PREFIX + file)
        stays = (
            f"the objects of source={source} wait" if in_force is None else f"version {in_force.hash} stays in force"
        )
        sentence = f"{reason.rstrip('.')}; {stays}.{' ' if hint else ''}{hint}"
        self.log(sentence)
        row = self.connection.execute("select refused_at from raw.registry_refusals where file = ?", [file]).fetchone()
        self._forget(file)
        self.connection.execute(
            "insert into raw.registry_refusals by name select $file as file, $hash as content_hash, $kind as kind, "
            "$modified_at::timestamptz as modified_at, $refused_at::timestamptz as refused_at, $sentence as sentence",
            {
                "file": file,
                "hash": refused_hash,
                "kind": kind,
                "modified_at": (info.modified if info is not None else self.landed_at).astimezone(UTC),
                "refused_at": row[0] if row else self.landed_at,
                "sentence": sentence,
            },
        )
