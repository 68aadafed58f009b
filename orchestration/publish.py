"""Copy the marts out of the warehouse: one folder per version, shown to readers by one rename.

Nothing is computed here. Readers never open the warehouse file, and never see two batches side by side. A version's
name ends in the build that it was made from, so that a batch knows when nothing has changed.
"""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import duckdb

from ingestion.durable import sync
from ingestion.errors import WarehouseError
from ingestion.privacy.suppression import published_rows
from ingestion.settings import Settings
from ingestion.warehouse import open_warehouse
from orchestration.build_state import finished_build, is_current

VERSIONS_FOLDER = "published-versions"
# The version before stays for readers that have it open.
KEPT_VERSIONS = 2


@dataclass(frozen=True, slots=True)
class PublishReport:
    """What was published: rows by mart, bytes of all files, the version's name."""

    version: str
    rows: dict[str, int]
    bytes: int
    seconds: float


def publish_marts(settings: Settings) -> PublishReport:
    """Write every mart as Parquet into a new version and make it the published one. The caller holds the lock.

    Raises:
        WarehouseError: a file cannot be written; the version published before stays.
    """
    started = time.monotonic()
    versions = settings.data_dir / VERSIONS_FOLDER
    with open_warehouse(settings) as connection:
        build = finished_build(connection)
    if build is None:
        raise WarehouseError("The marts are not published: their last computation did not finish. Run a whole batch.")
    version = f"{time.time_ns():020d}-{build}"
    unfinished = versions / f"{version}.part"
    try:
        unfinished.mkdir(parents=True)
        rows = _copy_marts(settings, unfinished)
        _flush(unfinished)
        folder = unfinished.rename(versions / version)
        _point_to(settings.published_path, folder)
        _remove_old(versions, folder)
    except (OSError, duckdb.Error) as error:
        shutil.rmtree(unfinished, ignore_errors=True)
        reason = " ".join(str(error).split())
        raise WarehouseError(f"The marts cannot be published to {versions}: {reason[:300]}") from error
    size = sum(path.stat().st_size for path in folder.iterdir())
    return PublishReport(version, rows, size, time.monotonic() - started)


def keep_published_version_only(settings: Settings) -> None:
    """Remove every other version now, whoever has it open: it may hold what must be gone.

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


def is_published(settings: Settings) -> bool:
    """Whether the published version was made from the raw tables, registries, settings and models as they are now."""
    with open_warehouse(settings) as connection:
        is_shown = settings.published_path.resolve().name.endswith(f"-{finished_build(connection)}")
        return is_shown and is_current(connection)


def _copy_marts(settings: Settings, folder: Path) -> dict[str, int]:
    """Every table of the schema `marts`, each sorted so that the same rows give the same file."""
    rows: dict[str, int] = {}
    with duckdb.connect(settings.warehouse_path) as connection:
        connection.execute("set timezone = 'UTC'")
        marts = connection.execute(
            "select table_name from information_schema.tables where table_schema = 'marts' order by table_name"
        ).fetchall()
        for (mart,) in marts:
            select = published_rows(connection, settings, mart)
            copied = connection.execute(
                f"copy ({select} order by all) to $path (format parquet, compression zstd)",
                {"path": str(folder / f"{mart}.parquet")},
            ).fetchone()
            rows[mart] = copied[0] if copied else 0
    return rows


def _flush(folder: Path) -> None:
    """Have the files on disk before they are shown: a power cut must not leave the link on empty files."""
    for path in (*folder.iterdir(), folder):
        sync(path)


def _point_to(link: Path, folder: Path) -> None:
    new_link = link.with_name(f".{link.name}.new")
    new_link.unlink(missing_ok=True)
    new_link.symlink_to(os.path.relpath(folder, link.parent), target_is_directory=True)
    new_link.replace(link)


def _remove_old(versions: Path, current: Path) -> None:
    """Older versions, and what killed batches left unfinished."""
    finished = sorted(path for path in versions.iterdir() if path.suffix != ".part")
    kept = {current, *finished[-KEPT_VERSIONS:]}
    for path in versions.iterdir():
        if path not in kept:
            shutil.rmtree(path, ignore_errors=True)
