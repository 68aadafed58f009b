"""The manifest of landed objects, read for one window of the listing at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import duckdb
import pyarrow as pa

from ingestion.bucket import Bucket, FetchedObject, ObjectInfo
from ingestion.settings import Settings
from ingestion.warehouse import transaction


class Manifest:
    """The manifest rows of some listed objects.

    `landed` are the objects that the listing alone shows to have landed; `pending` are all others, which must be read.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        bucket: Bucket,
        listed: Sequence[ObjectInfo],
        settings: Settings,
        now: datetime,
    ) -> None:
        keys = pa.table({"object_key": [storable_key(info.key) for info in listed]})  # noqa: F841  # found by its name
        self._is_patient = settings.still_seconds > 0
        self._settled_before = now - timedelta(seconds=settings.still_seconds)
        self._etags: dict[str, dict[str, datetime]] = {}
        for key, etag, landed_at in connection.execute(
            "select object_key, etag, landed_at from raw.landed_objects semi join keys using (object_key)"
        ).fetchall():
            self._etags.setdefault(key, {})[etag] = landed_at
        versions: dict[str, str] = {}
        if settings.landed_objects == "keep":
            versions = dict(
                connection.execute(
                    "select object_key, version from raw.kept_files semi join keys using (object_key)"
                ).fetchall()
            )
        self.landed: list[FetchedObject] = []
        self.pending: list[ObjectInfo] = []
        for info in listed:
            recognised = bucket.recognise(info)
            if recognised is not None and self.has(info.key, recognised.etag):
                self.landed.append(recognised)
            elif info.version and versions.get(storable_key(info.key)) == info.version:
                self.landed.append(FetchedObject(info.key, None, info.size, "", info.version))
            else:
                self.pending.append(info)

    def settled(self, objects: Sequence[FetchedObject]) -> Sequence[FetchedObject]:
        """The objects that may be archived now: with `still_seconds`, those that were read at least that long ago."""
        if not self._is_patient:
            return objects
        long_ago = self._settled_before
        return [one for one in objects if (at := self._landed_at(one)) is not None and at <= long_ago]

    def _landed_at(self, one: FetchedObject) -> datetime | None:
        return self._etags.get(storable_key(one.key), {}).get(one.etag)

    def knows(self, key: str) -> bool:
        """Whether any content of this key has landed."""
        return storable_key(key) in self._etags

    def has(self, key: str, etag: str) -> bool:
        """Whether this content of this key has landed."""
        return etag in self._etags.get(storable_key(key), ())


def remember_kept(connection: duckdb.DuckDBPyConnection, fetched: Sequence[FetchedObject]) -> None:
    """Store the versions of landed files that stay in place, so that a file is read again only after it changes.

    A file without a version changed too shortly before it was read and is read again. If the process is killed before
    this call, the files are read again, which changes nothing.
    """
    kept = pa.table(  # DuckDB finds this table by its variable name
        {
            "object_key": pa.array([storable_key(one.key) for one in fetched if one.version], pa.string()),
            "version": pa.array([one.version for one in fetched if one.version], pa.string()),
        }
    )
    if kept.num_rows:
        with transaction(connection):
            connection.execute("delete from raw.kept_files using kept where kept_files.object_key = kept.object_key")
            connection.execute("insert into raw.kept_files by name select * from kept")


def landing_time(connection: duckdb.DuckDBPyConnection, now: datetime, log: Callable[[str], None]) -> datetime:
    """The landing time of a batch: the clock's time, or the last landing's if the clock was set back since.

    Otherwise a machine that starts in the year 2000 would permanently reject every event as from the future.
    """
    row = connection.execute("select max(landed_at) from raw.landed_objects").fetchone()
    last = row[0].astimezone(UTC) if row and row[0] else now
    if last <= now:
        return now
    log(f"the clock says {now:%Y-%m-%d %H:%M:%S} UTC, before the last landing; {last:%Y-%m-%d %H:%M:%S} UTC counts")
    return last


def storable_key(key: str) -> str:
    """The key as text. Bytes of a file name that are not UTF-8 become `\\xNN`, so that distinct keys stay distinct."""
    return key if key.isascii() else key.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
