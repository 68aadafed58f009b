"""Takes a backup while the plant runs. A batch waits only while the warehouse is copied.

The backup is written under a hidden name and renamed when every file is complete and durable. So a folder with the
final name is a finished backup. A killed backup leaves the hidden folder, and the next backup removes it.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from backup.contents import (
    BUCKET,
    FILES,
    FORMAT,
    KEYS,
    OBJECTS,
    REGISTRY,
    TABLE_OF_CONTENTS,
    WAREHOUSE,
    Contents,
    is_copied,
    shown_settings,
)
from ingestion import migrations
from ingestion.access import restrict
from ingestion.bucket import LocalBucket, open_landing_bucket
from ingestion.durable import put_in_place, sync
from ingestion.errors import BackupError
from ingestion.settings import Settings
from ingestion.warehouse import warehouse_lock, whole_file

PREFIX = "floorhouse-backup-"
_PARTIAL = ".floorhouse-backup-"


@dataclass(frozen=True, slots=True)
class BackupReport:
    """A finished backup: its folder and bytes, the objects that its warehouse knows, and the older backups removed."""

    folder: Path
    bytes: int
    objects: int
    removed: tuple[str, ...]


def take_backup(
    settings: Settings,
    target: Path,
    now: datetime,
    log: Callable[[str], None],
    *,
    keep: int | None = None,
    with_keys: bool = False,
    with_bucket: bool = False,
) -> BackupReport:
    """Make a backup in a new folder below `target`. With `keep`, remove all but the `keep` newest backups.

    Raises:
        BackupError: there is no warehouse yet, the target is in the data folder, or it cannot be written.
        WarehouseBusyError: a batch held the warehouse's lock for the whole waiting time.
        BucketError: the registry cannot be read.
    """
    _require_target(settings, target)
    restrict(settings)
    name = f"{PREFIX}{now:%Y%m%dT%H%M%SZ}"
    partial = target / f"{_PARTIAL}{now:%Y%m%dT%H%M%SZ}"
    try:
        for left in target.glob(f"{_PARTIAL}*"):
            shutil.rmtree(left)
        partial.mkdir(parents=True)
        if (target / name).exists():
            raise BackupError(f"There is a backup {target / name} already.")
        objects, newest = _copy_warehouse(settings, partial, log)
        _copy_files(settings, partial)
        _copy_registry(settings, partial)
        if with_bucket:
            _copy_bucket(settings, partial, log)
        if with_keys:
            _copy_keys(settings, partial)
        _write_contents(settings, partial, now, objects, newest, with_keys=with_keys)
        put_in_place(partial, target / name)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise BackupError(
            f"The backup cannot be written to {target}: {error.strerror}; nothing is left of it."
        ) from error
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    size = sum(path.stat().st_size for path in (target / name).rglob("*") if path.is_file())
    return BackupReport(target / name, size, objects, tuple(_remove_old(target, keep)))


def _require_target(settings: Settings, target: Path) -> None:
    if not settings.warehouse_path.exists():
        raise BackupError(f"There is no warehouse in {settings.data_dir} yet, so there is nothing to back up.")
    if target.resolve().is_relative_to(settings.data_dir.resolve()):
        raise BackupError(
            f"{target} lies in the data folder {settings.data_dir}; a backup belongs on another disk or machine."
        )


def _copy_warehouse(settings: Settings, partial: Path, log: Callable[[str], None]) -> tuple[int, str]:
    """Copy the warehouse as one complete file. Returns the number of landed objects and the newest landing."""
    copy = partial / WAREHOUSE
    try:
        with warehouse_lock(settings, log=log):
            source = whole_file(settings)
            needed, free = source.stat().st_size, shutil.disk_usage(partial).free
            if needed > free:
                raise BackupError(
                    f"The warehouse takes {needed:,} bytes and {partial.parent} has room for {free:,}; "
                    "nothing was written."
                )
            shutil.copyfile(source, copy)
        with duckdb.connect(copy) as connection:
            connection.execute("set timezone = 'UTC'")
            row = connection.execute("select count(*), max(landed_at)::varchar from raw.landed_objects").fetchone()
    except duckdb.Error as error:
        raise BackupError(f"The warehouse cannot be read: {str(error).splitlines()[0]}") from error
    return (int(row[0]), str(row[1] or "")) if row else (0, "")


def _copy_files(settings: Settings, partial: Path) -> None:
    for path in sorted(settings.data_dir.rglob("*")):
        relative = path.relative_to(settings.data_dir).as_posix()
        if not is_copied(relative) or path.is_symlink() or not path.is_file():
            continue
        copy = partial / FILES / relative
        copy.parent.mkdir(parents=True, exist_ok=True)
        try:
            _copy(path, copy)
        except FileNotFoundError:  # delivered or purged since it was listed
            copy.unlink(missing_ok=True)


def _copy(path: Path, copy: Path) -> None:
    if path.suffix != ".db":
        shutil.copyfile(path, copy)
        return
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)


def _copy_registry(settings: Settings, partial: Path) -> None:
    bucket = open_landing_bucket(settings)
    keys = [info.key for info in bucket.list(f"{REGISTRY}/")]
    for fetched in bucket.fetch(keys):
        copy = partial / fetched.key
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(b"".join(bucket.pieces(fetched)) if fetched.content is None else fetched.content)


def _copy_bucket(settings: Settings, partial: Path, log: Callable[[str], None]) -> None:
    """Copy the objects of a local bucket. A bucket on a server is not copied; the server has its own backups."""
    bucket = open_landing_bucket(settings)
    if not isinstance(bucket, LocalBucket):
        log("the bucket is on a server, whose own means copy it; its objects are not in the backup")
        return
    for prefix in OBJECTS:
        for info in bucket.list(prefix):
            copy = partial / BUCKET / info.key
            copy.parent.mkdir(parents=True, exist_ok=True)
            with copy.open("wb") as file:
                for fetched in bucket.fetch([info.key], 0):
                    file.writelines(bucket.pieces(fetched))


def _copy_keys(settings: Settings, partial: Path) -> None:
    if settings.secret_key is None:
        return
    copy = partial / KEYS
    copy.touch(mode=0o600)
    copy.write_text(json.dumps({"FLOORHOUSE_PSEUDONYM_KEY": settings.secret_key.decode()}), encoding="utf-8")


def _write_contents(
    settings: Settings, partial: Path, now: datetime, objects: int, newest: str, *, with_keys: bool
) -> None:
    files = {}
    for path in sorted(partial.rglob("*")):
        if path.is_file():
            files[path.relative_to(partial).as_posix()] = hash_of(path)
            sync(path)
    with duckdb.connect(partial / WAREHOUSE, read_only=True) as connection:
        version = migrations.stored_version(connection)
    contents = Contents(
        format=FORMAT,
        taken_at=now.isoformat(),
        schema_version=version,
        objects=objects,
        newest_landing=newest,
        worker_identity=settings.worker_identity,
        needs=["FLOORHOUSE_PSEUDONYM_KEY"] if settings.secret_key is not None and not with_keys else [],
        settings=shown_settings(settings),
        files=files,
    )
    (partial / TABLE_OF_CONTENTS).write_text(contents.text(), encoding="utf-8")
    sync(partial / TABLE_OF_CONTENTS)
    for folder in sorted({path.parent for path in partial.rglob("*")}, reverse=True):
        sync(folder)


def hash_of(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _remove_old(target: Path, keep: int | None) -> Iterator[str]:
    if keep is None:
        return
    finished = sorted(path for path in target.glob(f"{PREFIX}*") if (path / TABLE_OF_CONTENTS).exists())
    for old in finished[: max(0, len(finished) - keep)]:
        shutil.rmtree(old)
        yield old.name
