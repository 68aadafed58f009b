"""Decides which version of each registry is in force: a new one if it is valid as a whole, else the last good one (§1).

`files.py` defines what the files may hold; `changes.py` describes a change.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from ingestion.bucket import Bucket, ObjectInfo, is_still
from ingestion.errors import RegistryError
from ingestion.registry.bucket_files import (
    CONFIRM,
    PREFIX,
    Listing,
    Registry,
    Unreadable,
    fetch_content,
    list_registries,
)
from ingestion.registry.changes import OF_PERSONS, describe_change, describe_count
from ingestion.registry.confirming import Confirmations
from ingestion.registry.content import Content, hash_of, read_content
from ingestion.registry.files import ALL_SITES, FILES, Row, key_of
from ingestion.registry.mappings import settle_mappings
from ingestion.registry.timezones import usable_names
from ingestion.settings import Settings
from ingestion.warehouse import transaction

if TYPE_CHECKING:
    from ingestion.identity.identity import Identity

# The share of the keys in force that a new version must contain.
_KEPT_FIFTHS = 4
# A content that looks cut off counts as intended if it is written again this much later.
_WRITTEN_AGAIN = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Version:
    """A registry's version in force, as stored in the warehouse. `since` is None if it was not recorded."""

    hash: str
    columns: Sequence[str]
    ends_with_a_break: bool
    since: datetime | None
    rows: list[Row]
    is_gone: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a content is not in force: the start of the message, and whether a person can confirm the content."""

    kind: str
    reason: str
    is_confirmable: bool = True


@dataclass(frozen=True, slots=True)
class _Noted:
    """A refusal recorded by an earlier batch that still applies."""

    hash: str
    kind: str
    modified_at: datetime
    refused_at: datetime


def settle_registries(
    connection: duckdb.DuckDBPyConnection,
    bucket: Bucket,
    identity: Identity,
    settings: Settings,
    now: datetime,
    landed_at: datetime,
    log: Callable[[str], None] = lambda _: None,
) -> None:
    """Store the valid registries and mappings of the bucket in the warehouse; for the others keep the version in force.

    `now` is the machine's clock, `landed_at` the batch's time.

    Raises:
        RegistryError: the first version of a file is invalid; nothing was changed.
        BucketError: the bucket cannot be listed, or the first version of a file cannot be read.
    """
    known = {name for (name,) in connection.execute("select name from pg_timezone_names()").fetchall()}
    listing, moving = _still_listing(bucket, now, settings.registry_still_seconds, log)
    confirmations = Confirmations(connection, bucket, listing, log)
    settling = _Settling(connection, bucket, identity, settings, landed_at, usable_names(known), confirmations, log)
    for key in listing.ignored:
        log(f"{key} is no registry and is ignored{_hint(key)}")
    with transaction(connection):
        for name in FILES:
            settling.settle(name, listing, is_moving=name in moving)
        settle_mappings(connection, bucket, listing, moving, landed_at, confirmations, log)


@dataclass(slots=True)
class _Settling:
    """Settles the registries of one batch, file by file."""

    connection: duckdb.DuckDBPyConnection
    bucket: Bucket
    identity: Identity
    settings: Settings
    landed_at: datetime
    timezones: Collection[str]
    confirmations: Confirmations
    log: Callable[[str], None]

    def settle(self, name: str, listing: Listing, *, is_moving: bool) -> None:
        """Decide whether one file takes effect, and store the outcome."""
        in_force, info = self._version(name), listing.files.get(name)
        if info is None and (in_force is None or in_force.is_gone):
            return None
        if is_moving and in_force is not None:
            return self.log(
                f"{PREFIX}{name} is still being written; the version in force stays until it has been left alone for "
                f"{self.settings.registry_still_seconds:g} s"
            )
        if info is not None and in_force is not None and self._is_known(name, in_force):
            return None
        try:
            content = None if info is None else self._read(name)
        except Unreadable as error:
            if in_force is None:
                raise
            return self._refuse(name, in_force, info, None, Refusal("unreadable", str(error).rstrip("."), False))
        if in_force is None:
            if content is not None and content.error is not None:
                raise RegistryError(self._shown(name, str(content.error)) + ".") from None
            in_force = Version("", (), False, None, [])
        refusal = self._refusal(name, in_force, content, listing.instead.get(name))
        refused_hash = in_force.hash if content is None else content.hash
        if refusal is None or (refusal.is_confirmable and self._is_meant(name, refused_hash, refusal, info)):
            self.confirmations.spend(name)
            return self._take(name, in_force, content)
        return self._refuse(name, in_force, info, content, refusal)

    def _is_known(self, name: str, in_force: Version) -> bool:
        """Whether a file with many rows has the content in force, which needs no reading."""
        if not FILES[name].grows or self._noted(name) is not None:
            return False
        try:
            return hash_of(fetch_content(self.bucket, f"{PREFIX}{name}")) == in_force.hash
        except Unreadable:
            return False

    def _read(self, name: str) -> Content:
        content = read_content(f"{PREFIX}{name}", fetch_content(self.bucket, f"{PREFIX}{name}"), self.timezones)
        table = name.removesuffix(".csv")
        stored = getattr(self.identity.registry(Registry(**{table: content.rows})), table)
        # The last line is compared with stored rows, which may hold pseudonyms.
        last = next((new for old, new in zip(content.rows, stored, strict=True) if old is content.last_row), None)
        content.rows, content.last_row = stored, last
        return content

    def _version(self, name: str) -> Version | None:
        """The version in force; None if there never was one."""
        rows = self._rows(name)
        noted = self.connection.execute(
            "select content_hash, columns, ends_with_a_break, in_force_since from raw.registry_files where file = ?",
            [name],
        ).fetchone()
        if noted is not None:
            return Version(noted[0], noted[1], noted[2], noted[3], rows, is_gone=noted[0] == "")
        if not rows:
            return None
        # An earlier release, which recorded no versions, stored these rows.
        return Version(hash_of(repr(sorted(map(repr, rows))).encode()), (), False, None, rows)

    def _rows(self, name: str) -> list[Row]:
        result = self.connection.execute(f"from raw.{name.removesuffix('.csv')}")
        columns = [column[0] for column in result.description]
        return [dict(zip(columns, row, strict=True)) for row in result.fetchall()]

    def _refusal(
        self, name: str, in_force: Version, content: Content | None, instead: str | None = None
    ) -> Refusal | None:
        key = f"{PREFIX}{name}"
        if content is None:
            return Refusal("gone", f"{key} is {instead or 'gone'}")
        if content.error is not None:
            return Refusal("wrong", self._shown(name, str(content.error)), False)
        if content.hash == in_force.hash:
            return None
        return _less_than_before(key, name, in_force, content)

    def _shown(self, name: str, sentence: str) -> str:
        """The start of a message about a row, without its values if persons must not be named."""
        sentence = sentence.rstrip(".")
        if name not in OF_PERSONS or self.settings.worker_identity == "named":
            return sentence
        place = re.match(r".*?, line [0-9]+", sentence)
        return (
            f"{place[0] if place else PREFIX + name}: a value that cannot be right (not shown, as it may name a person)"
        )

    def _is_meant(self, name: str, refused_hash: str, refusal: Refusal, info: ObjectInfo | None) -> bool:
        """Whether somebody confirmed the content, or wrote it again after it had looked cut off."""
        if self.confirmations.holds(name, refused_hash):
            return True
        noted = self._noted(name)
        if noted is None or info is None or refusal.kind != "cut" or (noted.hash, noted.kind) != (refused_hash, "cut"):
            return False
        later = max(info.modified - noted.modified_at, self.landed_at - noted.refused_at)
        return info.modified > noted.modified_at and later >= _WRITTEN_AGAIN

    def _noted(self, name: str) -> _Noted | None:
        row = self.connection.execute(
            "select content_hash, kind, modified_at, refused_at from raw.registry_refusals where file = ?", [name]
        ).fetchone()
        return None if row is None else _Noted(*row)

    def _take(self, name: str, in_force: Version, content: Content | None) -> None:
        """Put a content in force, and log what it changes. `content` is None if the file was removed on purpose."""
        rows = [] if content is None else content.rows
        self.connection.execute("delete from raw.registry_refusals where file = ?", [name])
        change = describe_change(name, in_force.rows, rows, would=False)
        is_first = in_force.since is None and (not change or not in_force.hash)
        since = in_force.since
        if since is None or change or content is None:
            since = self.landed_at
            self._replace_rows(name, rows)
            change_sentence = (
                f"First version, {describe_count(name, len(rows))}." if is_first else f"Changed: {change or 'nothing'}."
            )
            self._add_version(name, in_force, content, change_sentence)
            self.log(f"{PREFIX}{name} has a new version in force. {change_sentence}")
        self.connection.execute("delete from raw.registry_files where file = ?", [name])
        self.connection.execute(
            "insert into raw.registry_files by name select $file as file, $hash as content_hash, $columns as columns, "
            "$is_whole as ends_with_a_break, $since::timestamptz as in_force_since",
            {
                "file": name,
                "hash": "" if content is None else content.hash,
                "columns": [] if content is None else list(content.columns),
                "is_whole": content is not None and content.ends_with_a_break,
                "since": since,
            },
        )

    def _replace_rows(self, name: str, rows: Sequence[Row]) -> None:
        table = f"raw.{name.removesuffix('.csv')}"
        schema = self.connection.sql(f"from {table} limit 0").to_arrow_table().schema
        columns = {one.name: pa.array([row.get(one.name) for row in rows], one.type) for one in schema}
        new_rows = pa.table(columns)  # noqa: F841  # DuckDB finds the table by its name
        self.connection.execute(f"delete from {table}")
        self.connection.execute(f"insert into {table} by name from new_rows")

    def _add_version(self, name: str, in_force: Version, content: Content | None, change: str) -> None:
        rows = content.rows if content is not None and content.rows else in_force.rows
        sites = {str(row["site_id"]) for row in rows}
        self.connection.execute(
            """
            insert into raw.registry_versions by name
            select
                (select count(*) + 1 from raw.registry_versions) as number,
                $file as file,
                $site_id as site_id,
                $lines as line_count,
                $since::timestamptz as in_force_since,
                $change as change
            """,
            {
                "file": name,
                "site_id": sites.pop() if len(sites) == 1 else ALL_SITES,
                "lines": 0 if content is None else len(content.rows),
                "since": self.landed_at,
                "change": change,
            },
        )

    def _refuse(
        self, name: str, in_force: Version, info: ObjectInfo | None, content: Content | None, refusal: Refusal
    ) -> None:
        since = "" if in_force.since is None else f" of {in_force.since.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        if refusal.kind == "unreadable":
            words = ""
        else:
            words = describe_change(name, in_force.rows, [] if content is None else content.rows, would=True)
        sentence = f"{refusal.reason}; the version{since} stays in force."
        sentence += f" It would change: {words}." if words else ""
        refused_hash = in_force.hash if content is None else content.hash
        if refusal.is_confirmable:
            sentence += f" {self.confirmations.request(name, refused_hash)}"
        self.log(sentence)
        noted = self._noted(name)
        modified_at = info.modified if info is not None else self.landed_at
        if noted is None:
            noted = _Noted(refused_hash, refusal.kind, modified_at, self.landed_at)
        elif (noted.hash, noted.kind) != (refused_hash, refusal.kind):
            noted = replace(noted, hash=refused_hash, kind=refusal.kind, modified_at=modified_at)
        self.connection.execute("delete from raw.registry_refusals where file = ?", [name])
        self.connection.execute(
            "insert into raw.registry_refusals by name select $file as file, $hash as content_hash, $kind as kind, "
            "$modified_at::timestamptz as modified_at, $refused_at::timestamptz as refused_at, $sentence as sentence",
            {
                "file": name,
                "hash": noted.hash,
                "kind": noted.kind,
                "modified_at": noted.modified_at,
                "refused_at": noted.refused_at,
                "sentence": sentence,
            },
        )


def _still_listing(
    bucket: Bucket, now: datetime, still_seconds: float, log: Callable[[str], None]
) -> tuple[Listing, set[str]]:
    """The listing, and the names of files that are still being written. Waits once for files that have just changed.

    A server's clock may differ from this one's, so a file that does not change during the wait counts as still.
    """
    listing = list_registries(bucket)
    files = {**listing.files, **listing.mappings}
    changing = {name for name, info in files.items() if not is_still(info, now, still_seconds)}
    if not changing:
        return listing, set()
    log(f"waiting {still_seconds:g} s for {', '.join(sorted(PREFIX + name for name in changing))} to be left alone")
    time.sleep(still_seconds)
    again = list_registries(bucket)
    return again, {name for name, info in {**again.files, **again.mappings}.items() if info != files.get(name)}


def _less_than_before(key: str, name: str, in_force: Version, content: Content) -> Refusal | None:
    """What a valid content lacks compared with the version in force, which suggests that it was cut or damaged."""
    if lost := [column for column in in_force.columns if column not in content.columns]:
        return Refusal("columns", f"{key}, line 1: the column {lost[0]} of the version in force is missing")
    now, before = (len({key_of(FILES[name], row) for row in rows}) for rows in (content.rows, in_force.rows))
    if now * 5 < before * _KEPT_FIFTHS:
        found = f"{key} ends on line {content.last_line} with {now:,} rows, while {before:,} are in force"
        return Refusal("shrunk", found)
    if _is_cut(name, in_force, content):
        return Refusal("cut", f"{key}, line {content.last_line}: it ends within a value, as if it had been cut off")
    return None


def _is_cut(name: str, in_force: Version, content: Content) -> bool:
    """Whether a content equals the version in force except that it ends within a value.

    Whole lines may be missing too. If the version in force has no final line break either, its absence proves nothing.
    """
    last = content.last_row
    if content.ends_with_a_break or not in_force.ends_with_a_break or last is None:
        return False
    known = {_texts(name, row) for row in in_force.rows}
    if any(_texts(name, row) not in known for row in content.rows if row is not last):
        return False
    cut = _texts(name, last)
    return cut not in known and any(_is_start(cut, whole) for whole in known)


def _is_start(cut: Sequence[str], whole: Sequence[str]) -> bool:
    """Whether the values are the first ones of a complete row, of which the last may be cut."""
    place = next(number for number, (one, other) in enumerate(zip(cut, whole, strict=True)) if one != other)
    return whole[place].startswith(cut[place]) and not any(cut[place + 1 :])


def _texts(name: str, row: Row) -> tuple[str, ...]:
    return tuple("" if row.get(column) is None else str(row[column]) for column in FILES[name].columns)


def _hint(key: str) -> str:
    """Which file was probably meant: a copy, another letter case, an ending that an editor added, a misspelt name."""
    name = key.removeprefix(PREFIX).rpartition("/")[2].lower()
    for known in FILES:
        if f"{known}{CONFIRM}" in name:
            return f"; a confirmation is read from {PREFIX}{known}{CONFIRM}"
    stem = name.partition(".")[0]
    stems = [known.removesuffix(".csv") for known in FILES]
    near = [one for one in stems if one in stem] or get_close_matches(stem, stems, 1, 0.8)
    return f"; registries are read from {PREFIX}{near[0]}.csv" if near else ""
