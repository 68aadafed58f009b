"""Rebuilds the warehouse from the archive: lands every archived object again, as of its original landing time.

The new file is built in a folder of its own and replaces the old one only when it is complete, so a killed rebuild
changes nothing. The old file is set aside, not deleted. A restored backup gets the objects that it lacks likewise.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

import duckdb

from ingestion.bucket import ARCHIVE_PREFIX, Bucket, FetchedObject, ObjectInfo, archive_key, open_landing_bucket
from ingestion.durable import put_in_place
from ingestion.errors import WarehouseError
from ingestion.landing.batch import land
from ingestion.landing.continuity import note_state
from ingestion.landing.manifest import storable_key
from ingestion.mapping.mapping import MAPPINGS
from ingestion.settings import Settings
from ingestion.warehouse import open_warehouse

WORK_FOLDER = "rebuilding"
# The name marks it as a copy that an erasure or the next upgrade removes (migrations.py).
SET_ASIDE = "warehouse-before-rebuild-"
_ETAG_CHARACTERS = 16  # of the etag, in an archived object's name (ingestion/bucket/objects.py)


@dataclass(frozen=True, slots=True)
class Archived:
    """One archived object: its place, its original key and etag, and its landing time (UTC)."""

    info: ObjectInfo
    key: str
    etag: str | None  # None: no copy of the manifest lists it; the etag of the archived content is used
    landed_at: datetime


@dataclass(frozen=True, slots=True)
class RebuildReport:
    """What a rebuild landed: objects, events and rejected records. `dated` objects kept their original landing time."""

    objects: int = 0
    dated: int = 0
    accepted: int = 0
    rejected: int = 0
    set_aside: Path | None = None


class ArchiveBucket:
    """Presents archived objects under their original keys. Everything else comes from the plant's bucket."""

    def __init__(self, bucket: Bucket, archived: Sequence[Archived]) -> None:
        self._bucket = bucket
        self._archived = {one.key: one for one in archived}
        self.concurrency = bucket.concurrency
        self.passed_over = bucket.passed_over

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """The archived objects whose key begins with a prefix; registries come from the bucket itself."""
        if prefix.startswith("registry"):
            yield from self._bucket.list(prefix)
        for key, one in self._archived.items():
            if key.startswith(prefix):
                yield ObjectInfo(key, one.info.size, one.info.modified)

    def fetch(self, keys: Sequence[str], max_bytes: int | None = None) -> Iterator[FetchedObject]:
        """The archived contents, with their original keys and etags."""
        places = {self._archived[key].info.key: key for key in keys if key in self._archived}
        others = [key for key in keys if key not in self._archived]
        for fetched in self._bucket.fetch([*places, *others], max_bytes):
            key = places.get(fetched.key)
            if key is None:
                yield fetched
            else:
                yield fetched._replace(key=key, etag=self._archived[key].etag or fetched.etag, version="")

    def pieces(self, fetched: FetchedObject) -> Iterator[bytes]:
        """The content of a large archived object, in pieces."""
        for lying in self._bucket.fetch([self._archived[fetched.key].info.key], 0):
            yield from self._bucket.pieces(lying)

    def recognise(self, info: ObjectInfo) -> FetchedObject | None:  # noqa: ARG002  # the protocol's
        """Recognise nothing: the listing has no etags."""
        return None

    def archive(self, fetched: FetchedObject) -> bool:  # noqa: ARG002
        """Do nothing: the object is already in the archive."""
        return True

    def put_back(self) -> int:
        """Do nothing: no object was moved."""
        return 0

    def put(self, key: str, content: bytes) -> None:
        """Write nothing: the next batch writes to the plant's bucket."""


def rebuild_warehouse(settings: Settings, now: datetime, log: Callable[[str], None]) -> RebuildReport:
    """Rebuild the warehouse from the archive. The caller holds the lock and runs a batch afterwards.

    First reports through `log` what cannot be restored.

    Raises:
        BucketError, WarehouseError: the archive cannot be read or the file cannot be written; the old file stays.
    """
    bucket = open_landing_bucket(settings)
    known = _manifest_copies(settings)
    archived = [_find(info, known, now) for info in _archived_objects(bucket, settings, known)]
    dated = sum(one.etag is not None for one in archived)
    for sentence in _losses(settings, len(archived), dated):
        log(sentence)
    inner = prepare_work_folder(settings)
    landed = _land_archived(inner, bucket, archived, log)
    aside = _put_in_place(settings, inner, now)
    shutil.rmtree(inner.data_dir, ignore_errors=True)
    with open_warehouse(settings) as connection:
        note_state(settings, connection, bucket, log)
    return replace(landed, dated=dated, set_aside=aside)


def prepare_work_folder(settings: Settings) -> Settings:
    """The settings under which a warehouse is made in an empty folder of its own, below the data folder.

    Raises:
        WarehouseError: the folder cannot be made.
    """
    work = settings.data_dir / WORK_FOLDER
    shutil.rmtree(work, ignore_errors=True)
    try:
        work.mkdir(parents=True)
    except OSError as error:
        raise WarehouseError(f"The data folder {settings.data_dir} cannot be written: {error.strerror}.") from error
    return settings.model_copy(
        update={"data_dir": work, "landing_url": settings.landing_url, "landed_objects": "keep", "still_seconds": 0.0}
    )


def land_unknown(inner: Settings, bucket: Bucket, now: datetime, log: Callable[[str], None]) -> RebuildReport:
    """Land the archived objects that the manifest of a restored warehouse does not list. The caller holds the lock.

    `inner` is the work folder with that warehouse (`prepare_work_folder`), `bucket` the plant's own.

    Raises:
        BucketError, WarehouseError: the archive cannot be read or the file cannot be written.
    """
    known = _manifest_copies(inner)
    archived = [_find(info, known, now) for info in bucket.list(ARCHIVE_PREFIX) if storable_key(info.key) not in known]
    return _land_archived(inner, bucket, archived, log)


def _land_archived(
    inner: Settings, bucket: Bucket, archived: Sequence[Archived], log: Callable[[str], None]
) -> RebuildReport:
    total = RebuildReport()
    for landed_at, share in _passes(archived):
        report = land(inner, landed_at, bucket=ArchiveBucket(bucket, share))
        if report.waiting:
            raise WarehouseError(
                f"{report.waiting:,} archived objects cannot be read, as the mapping of their source is missing from "
                f"{MAPPINGS} or fails; the warehouse stays as it was."
            )
        total = replace(
            total,
            objects=total.objects + report.objects,
            accepted=total.accepted + report.accepted,
            rejected=total.rejected + report.rejected,
        )
        log(f"landed {total.objects:,} of {len(archived):,} archived objects, {total.accepted:,} events")
    return total


def _losses(settings: Settings, count: int, dated: int) -> Iterator[str]:
    yield f"{count:,} archived objects will be landed again, {dated:,} of them at the time at which they landed"
    if dated < count:
        yield (
            f"of {count - dated:,} objects no copy of the manifest says when they landed; their file's time counts, "
            "so lateness and clock offsets of their cameras may change"
        )
    yield (
        "not brought back: objects whose archived copy was deleted, figures that retention had frozen, the history of "
        "checks and incidents, and which sampled events were handed out for review"
    )
    if settings.worker_identity != "named":
        yield "pseudonyms stay the same only under the same key"


def _archived_objects(
    bucket: Bucket, settings: Settings, known: dict[str, tuple[str, str, datetime]]
) -> Iterator[ObjectInfo]:
    yield from bucket.list(ARCHIVE_PREFIX)
    if settings.landed_objects == "keep":  # landed objects stay in place; the next batch lands new ones
        landed = {key for key, _, _ in known.values()}
        for prefix in ("events/", "labels/"):
            yield from (info for info in bucket.list(prefix) if storable_key(info.key) in landed)


def _manifest_copies(settings: Settings) -> dict[str, tuple[str, str, datetime]]:
    """The key, etag and landing time of every object listed in a copy of the manifest, by its place in the archive.

    The copies are the published version and, as far as it can be read, the warehouse itself.
    """
    known: dict[str, tuple[str, str, datetime]] = {}
    published = settings.published_path / "landed_objects.parquet"
    files = str(published / "*.parquet") if published.is_dir() else str(published)
    sources = ((":memory:", f"read_parquet('{_quoted(files)}')"), (str(settings.warehouse_path), "raw.landed_objects"))
    for database, table in sources:
        if database != ":memory:" and not Path(database).exists():
            continue
        try:
            with duckdb.connect(database) as connection:
                connection.execute("set timezone = 'UTC'")
                rows = connection.execute(f"select object_key, etag, landed_at from {table}").fetchall()
        except duckdb.Error:
            continue  # missing or incomplete
        for key, etag, landed_at in rows:
            known[archive_key(key, etag)] = (key, etag, landed_at.astimezone(UTC))
    return known


def _quoted(text: str) -> str:
    return text.replace("'", "''")


def _find(info: ObjectInfo, known: dict[str, tuple[str, str, datetime]], now: datetime) -> Archived:
    copy = known.get(storable_key(info.key))
    if copy is not None:
        return Archived(info, *copy)
    if not info.key.startswith(ARCHIVE_PREFIX):
        landed = [one for one in known.values() if one[0] == storable_key(info.key)]
        return Archived(info, info.key, None, max(landed_at for _, _, landed_at in landed))
    return Archived(info, _original_key(info.key), None, min(info.modified, now))


def _original_key(key: str) -> str:
    """The original key of an archived object, from its name: `a.<etag>.jsonl` was `a.jsonl`."""
    folder, _, name = key.removeprefix(ARCHIVE_PREFIX).rpartition("/")
    stem, _, rest = name.partition(".")
    tag, dot, endings = rest.partition(".")
    original = f"{stem}{dot}{endings}" if len(tag) == _ETAG_CHARACTERS else name
    return f"{folder}/{original}"


def _passes(archived: Sequence[Archived]) -> Iterator[tuple[datetime, list[Archived]]]:
    """Groups of objects that landed at one instant, in order of time; two contents of one key never share a group."""
    ordered = sorted(archived, key=lambda one: (one.landed_at, one.key, one.info.key))
    for landed_at, together in groupby(ordered, key=lambda one: one.landed_at):
        rest = list(together)
        while rest:
            first = {one.key: one for one in reversed(rest)}
            yield landed_at, list(first.values())
            taken = {id(one) for one in first.values()}
            rest = [one for one in rest if id(one) not in taken]


def _put_in_place(settings: Settings, inner: Settings, now: datetime) -> Path | None:
    """Move the new warehouse to the old one's name, and keep the old one beside it."""
    path = settings.warehouse_path
    aside = None
    try:
        if not inner.warehouse_path.exists():
            raise WarehouseError("The archive holds no object; there is nothing to rebuild from.")
        if path.exists():
            aside = path.with_name(f"{SET_ASIDE}{now:%Y%m%dT%H%M%SZ}.duckdb")
            path.replace(aside)
        # the old file's write-ahead log, which DuckDB would replay into the new file
        unwritten = path.with_name(f"{path.name}.wal")
        if unwritten.exists():
            unwritten.replace(path.with_name(f"{SET_ASIDE}{now:%Y%m%dT%H%M%SZ}.duckdb.wal"))
        put_in_place(inner.warehouse_path, path)
    except OSError as error:
        raise WarehouseError(f"The new warehouse cannot take its place: {error.strerror}; start it again.") from error
    return aside
