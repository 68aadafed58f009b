"""Copies the marts out of the warehouse: one folder per version, shown to readers by one rename.

Computes nothing. Readers never open the warehouse file and never see a mix of two batches. A version's name ends with
the name of its build, so that a batch knows when nothing has changed.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb

from ingestion.durable import point_to, put_in_place, sync
from ingestion.errors import WarehouseError
from ingestion.settings import Settings
from ingestion.warehouse import open_warehouse
from publishing.coarser import COARSER, DESCRIBED, coarser_rows
from publishing.declarations import Mart, read_marts
from publishing.file_cuts import LARGEST_FILE_ROWS, partitions
from publishing.plant_file import Described, write_plant_file
from publishing.suppression import publication_rules, published_from, published_rows
from publishing.version_names import new_version

VERSIONS_FOLDER = "published-versions"
# The previous version stays for readers that have it open.
KEPT_VERSIONS = 2


@dataclass(frozen=True, slots=True)
class Build:
    """What publishing needs to know about the build of the marts.

    `name` is None while the marts are unfinished. `changed_days` lists for each mart the days with added or removed
    rows since the version `published_version`; None or a missing entry means any day. `described` says what each mart's
    rows and columns mean.
    """

    name: str | None
    changed_days: Mapping[str, set[date] | None]
    published_version: str | None
    described: Mapping[str, Described]


@dataclass(frozen=True, slots=True)
class PublishReport:
    """What was published: rows by mart, bytes of all files, the version's name."""

    version: str
    rows: dict[str, int]
    bytes: int
    seconds: float


def publish_marts(settings: Settings, build: Build, anew: bool = False) -> PublishReport:
    """Write the changed files of every mart as Parquet into a new version, and publish that version.

    A small mart is one file; a large mart is a folder of files by time (file_cuts.py). Files without a changed row are
    hard links to those of the previous version. With `anew` all files are written, because deleted rows were not
    recorded as changes. The caller holds the lock.

    Raises:
        WarehouseError: a file cannot be written, or the marts are unfinished; the previously published version stays.
    """
    # Imported here because processes that only read never need it.
    from publishing.fingerprints import read_fingerprints, shown_as, write_fingerprints

    started = time.monotonic()
    versions = settings.data_dir / VERSIONS_FOLDER
    if build.name is None:
        raise WarehouseError("The marts are unfinished, as their last computation stopped; run a whole batch.")
    with open_warehouse(settings) as connection:
        version = new_version(build.name)
        unfinished = versions / f"{version}.part"
        before = settings.published_path.resolve()
        try:
            unfinished.mkdir(parents=True)
            rules = publication_rules(settings)
            is_known = build.published_version == before.name and shown_as(before) == rules
            known = before if is_known and not anew else None
            marts = read_marts(connection)
            rows = {
                name: _write_mart(connection, settings, mart, unfinished, known, _changed_days(settings, build, name))
                for name, mart in marts.items()
            }
            if settings.worker_identity == "aggregate":
                select = coarser_rows(connection, settings.min_group)
                rows[COARSER.name] = _count(connection, select)
                _copy(connection, f"{select} order by all", unfinished / f"{COARSER.name}.parquet")
                marts[COARSER.name] = COARSER
            write_fingerprints(unfinished, _shared(unfinished, before, read_fingerprints(before)), rules)
            folder = versions / version
            described = {**build.described, COARSER.name: DESCRIBED}
            write_plant_file(unfinished, folder, settings.published_path, marts.values(), described)
            _flush(unfinished)
            put_in_place(unfinished, folder)
            point_to(settings.published_path, folder)
            _remove_old(versions, folder)
        except (OSError, duckdb.Error) as error:
            shutil.rmtree(unfinished, ignore_errors=True)
            reason = " ".join(str(error).split())
            raise WarehouseError(f"The marts cannot be published to {versions}: {reason[:300]}") from error
    return PublishReport(version, rows, size_of(folder), time.monotonic() - started)


def size_of(path: Path) -> int:
    """The bytes of a file, or of all files in a folder."""
    return path.stat().st_size if path.is_file() else sum(one.stat().st_size for one in path.rglob("*.parquet"))


def keep_published_version_only(settings: Settings) -> None:
    """Remove every other version now, even if a reader has it open, because it may hold deleted data.

    Raises:
        WarehouseError: a file cannot be removed.
    """
    current = settings.published_path.resolve()
    try:
        for path in (settings.data_dir / VERSIONS_FOLDER).iterdir():
            if path.resolve() != current:
                shutil.rmtree(path)
    except OSError as error:
        raise WarehouseError(f"An older version of the marts cannot be removed: {error}.") from error


def _write_mart(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    mart: Mart,
    version: Path,
    before: Path | None,
    changed: set[date] | None,
) -> int:
    """Write the file or files of a mart, and return its row count.

    `before` is the version that the changed days refer to.
    """
    path, old = version / f"{mart.name}.parquet", before / f"{mart.name}.parquet" if before else None
    select = published_rows(connection, settings, mart)
    rows = _count(connection, select)
    if changed is not None and not changed and old is not None and old.exists():
        _link(old, path)
        return rows
    day = mart.day
    if day is None or rows <= LARGEST_FILE_ROWS:
        _copy(connection, f"{select} order by all", path)
        return rows
    by_day = connection.execute(
        f'select cast("{day}" as date) as day, count(*) from ({select}) group by all'
    ).fetchall()
    path.mkdir()
    for part in partitions(dict(by_day)):
        old_file = old / part.file if old is not None else None
        is_changed = changed is None or any(part.first <= one <= part.last for one in changed)
        if not is_changed and old_file is not None and old_file.is_file():
            _link(old_file, path / part.file)
        else:
            days = f"\"{day}\" >= '{part.first}' and \"{day}\" < '{part.last + timedelta(days=1)}'"
            _copy(connection, f"from ({select}) where {days} order by all", path / part.file)
    return rows


def _changed_days(settings: Settings, build: Build, mart: str) -> set[date] | None:
    """The days whose published rows of a mart may have changed; None if any day may have."""
    changed: set[date] = set()
    for source in published_from(settings, mart):
        days = build.changed_days.get(source)
        if days is None:
            return None
        changed |= days
    return changed


def _count(connection: duckdb.DuckDBPyConnection, select: str) -> int:
    row = connection.execute(f"select count(*) from ({select})").fetchone()
    return int(row[0]) if row else 0


def _copy(connection: duckdb.DuckDBPyConnection, rows: str, path: Path) -> None:
    """Write the rows sorted, so that the same rows give the same file."""
    connection.execute(f"copy ({rows}) to $path (format parquet, compression zstd)", {"path": str(path)})


def _link(old: Path, new: Path) -> None:
    """Hard-link the same files under new names, without copying."""
    if old.is_file():
        os.link(old, new)
        return
    new.mkdir()
    for file in old.iterdir():
        os.link(file, new / file.name)


def _shared(folder: Path, before: Path, told: dict[str, str]) -> dict[str, str]:
    """The previous version's hashes of files that this version shares."""
    return {
        name: hashed
        for name, hashed in told.items()
        if (folder / name).is_file() and (folder / name).samefile(before / name)
    }


def _flush(folder: Path) -> None:
    """Sync the files to disk before they are shown, so that a power cut cannot leave the link on empty files."""
    for path in (*folder.rglob("*"), folder):
        if path.is_dir() or path.stat().st_nlink == 1:  # otherwise it belongs to the previous version
            sync(path)


def _remove_old(versions: Path, current: Path) -> None:
    """Remove older versions and the unfinished ones of killed batches."""
    finished = sorted(path for path in versions.iterdir() if path.suffix != ".part")
    kept = {current, *finished[-KEPT_VERSIONS:]}
    for path in versions.iterdir():
        if path not in kept:
            shutil.rmtree(path, ignore_errors=True)
