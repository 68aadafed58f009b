"""Restores a backup into a data folder without a warehouse.

The warehouse is put in place last, so a killed restore can be started again. Objects that were archived after the
backup are landed from the archive, because batches do not read the archive.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from backup.contents import BUCKET, FILES, FORMAT, OBJECTS, REGISTRY, WAREHOUSE, Contents, read_contents, shown_settings
from backup.take import hash_of
from ingestion import migrations
from ingestion.access import restrict
from ingestion.bucket import Bucket, open_bucket
from ingestion.durable import put_in_place, sync
from ingestion.errors import BackupError
from ingestion.landing.continuity import note_state
from ingestion.landing.rebuild import land_unknown, prepare_work_folder
from ingestion.settings import Settings
from ingestion.settings_sources import shown, variable_of
from ingestion.warehouse import open_warehouse, warehouse_lock

_OF_THE_MACHINE = {"data_dir", "landing_url", "site_url", "allowed_hosts", "pseudonym_key_file"}


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """The objects that the backup's warehouse knows, and the objects and events landed from the archive in addition."""

    objects: int
    objects_since: int
    events_since: int


def restore_backup(settings: Settings, folder: Path, now: datetime, log: Callable[[str], None]) -> RestoreReport:
    """Restore a backup. The caller runs a batch afterwards.

    Raises:
        BackupError: the folder is no complete backup, the data folder has a warehouse already, or it cannot be written.
        BucketError, WarehouseError: the archive cannot be read, the warehouse is of a newer release, or its pseudonyms
        need another key; no warehouse was put in place.
    """
    contents = read_contents(folder)
    _require_whole(folder, contents)
    restrict(settings)
    with warehouse_lock(settings, log=log):
        if settings.warehouse_path.exists():
            raise BackupError(
                f"There is a warehouse in {settings.data_dir} already; a restore needs a data folder without one."
            )
        for sentence in _warnings(settings, contents):
            log(sentence)
        try:
            return _restore(settings, folder, contents, now, log)
        except OSError as error:
            raise BackupError(
                f"The backup cannot be restored to {settings.data_dir}: {error.strerror}; start it again."
            ) from error


def _restore(
    settings: Settings, folder: Path, contents: Contents, now: datetime, log: Callable[[str], None]
) -> RestoreReport:
    bucket = open_bucket(settings.landing_url, create=True)
    _put_objects_back(folder, bucket)
    inner = prepare_work_folder(settings)
    shutil.copyfile(folder / WAREHOUSE, inner.warehouse_path)
    landed = land_unknown(inner, bucket, now, log)
    for path in _files(folder / FILES):
        copy = settings.data_dir / path.relative_to(folder / FILES)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
        sync(copy)
    put_in_place(inner.warehouse_path, settings.warehouse_path)
    shutil.rmtree(inner.data_dir, ignore_errors=True)
    with open_warehouse(settings, log) as connection:
        note_state(settings, connection, bucket, log)
    return RestoreReport(contents.objects, landed.objects, landed.accepted)


def _require_whole(folder: Path, contents: Contents) -> None:
    if contents.format > FORMAT or contents.schema_version > migrations.NEWEST:
        raise BackupError(f"The backup {folder} was made by a newer release of Floorhouse; restore it with that one.")
    for name, expected in contents.files.items():
        try:
            found = hash_of(folder / name)
        except OSError as error:
            raise BackupError(f"The backup {folder} is not whole: {name} cannot be read ({error.strerror}).") from error
        if found != expected:
            raise BackupError(f"The backup {folder} is not whole: {name} has changed since it was made.")


def _warnings(settings: Settings, contents: Contents) -> Iterator[str]:
    """What the operator must know before the restore: data missing from the backup, and settings that differ."""
    yield f"the backup was taken at {contents.taken_at[:19].replace('T', ' ')} UTC, {contents.objects:,} objects"
    yield "erasures requested since then are not in it; make them again"
    if contents.needs:
        yield f"it needs the same {', '.join(contents.needs)} as then, which is not in it"
    now = shown_settings(settings)
    for name, then in contents.settings.items():
        if name not in _OF_THE_MACHINE and name in now and now[name] != then:
            yield f"{variable_of(Settings, name)} was {shown(then)} and is {shown(now[name])} here"


def _put_objects_back(folder: Path, bucket: Bucket) -> None:
    """Put registry files and the backup's objects, if any, into the bucket. Keys that the bucket has are kept."""
    for source, prefix in ((folder, f"{REGISTRY}/"), *((folder / BUCKET, prefix) for prefix in OBJECTS)):
        there = {info.key for info in bucket.list(prefix)}
        for path in _files(source / prefix):
            key = path.relative_to(source).as_posix()
            if key not in there:
                bucket.put(key, path.read_bytes())


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())
