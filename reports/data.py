"""Published marts → the small Parquet files that the report pages query, and the manifest that names them.

The select behind each file lies in tables/ under the table's name. A file's folder is named after everything it was
made from, so a table that would come out the same is not written again. Nothing here knows about pages or the shell.
"""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from ingestion.errors import ReportError

TABLES_FOLDER = Path(__file__).parent / "tables"
MANIFEST_NAME = "manifest.json"
PREVIOUS_NAME = "manifest.previous.json"
SOURCE_NAME = "plant"  # the schema that page queries name: `from plant.worker_shifts`

# Small row groups let the engine in the browser read one person's rows by range, not the whole file.
_ROW_GROUP_ROWS = 20_000


@dataclass(frozen=True)
class DataReport:
    """Bytes and files written by one refresh; a table that did not change counts for nothing."""

    bytes_written: int
    files: int


def publish_data(published: Path, data_folder: Path) -> DataReport:
    """Write the tables whose marts changed, then put the new manifest in place with one rename.

    The files that the manifest before named stay for readers who still hold it; older ones are removed. Raises
    ReportError when a mart is missing or lacks a column that a table needs.
    """
    marts = {path.stem: path for path in sorted(published.resolve().glob("*.parquet"))}
    if not marts:
        raise ReportError(f"There are no published marts in {published}; run a batch first.")
    data_folder.mkdir(parents=True, exist_ok=True)
    hashes = {name: _file_hash(path) for name, path in marts.items()}
    published_at = _published_at(marts)
    written: list[Path] = []
    wanted: list[str] = []
    with _connect(marts, published_at) as connection:
        for select in sorted(TABLES_FOLDER.glob("*.sql")):
            key = _table_key(select, hashes, published_at)
            file = data_folder / key / f"{select.stem}.parquet"
            wanted.append(f"data/{key}/{file.name}")
            if not file.is_file():
                _write_table(connection, select, file)
                written.append(file)
    size = sum(file.stat().st_size for file in written)
    manifest = json.dumps({"version": published.resolve().name, "renderedFiles": {SOURCE_NAME: wanted}})
    is_new = _replace_manifest(data_folder, manifest)
    _remove_unnamed(data_folder)
    return DataReport(bytes_written=size + is_new * len(manifest), files=len(written) + is_new)


def table_file(site: Path, table: str) -> Path:
    """The Parquet file that the site's manifest names for a table; ReportError when the site holds none."""
    manifest = site / "data" / MANIFEST_NAME
    try:
        files: list[str] = json.loads(manifest.read_text(encoding="utf-8"))["renderedFiles"][SOURCE_NAME]
        return next(site / file for file in files if file.endswith(f"/{table}.parquet"))
    except (FileNotFoundError, StopIteration) as error:
        raise ReportError(f"The site in {site} holds no table {table}; run a batch first.") from error


def shown_version(data_folder: Path) -> str | None:
    """The name of the published version that the site's data was made of; None where there is no data yet."""
    try:
        version: str = json.loads((data_folder / MANIFEST_NAME).read_text(encoding="utf-8"))["version"]
    except (FileNotFoundError, ValueError, KeyError):
        return None
    return version


def marts_used(sql: str, marts: Mapping[str, object]) -> list[str]:
    """The marts a select reads, by name, sorted."""
    return sorted(name for name in marts if re.search(rf"\bfrom {name}\b|\bjoin {name}\b", sql))


def _connect(marts: Mapping[str, Path], published_at: datetime) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'")
    connection.execute(f"set variable published_at = timestamp '{published_at:%Y-%m-%d %H:%M:%S}'")
    for name, path in marts.items():
        connection.execute(f'create view "{name}" as from read_parquet({_quoted(str(path))})')
    return connection


def _write_table(connection: duckdb.DuckDBPyConnection, select: Path, file: Path) -> None:
    """Write into a folder of another name and rename it: no name that readers ask for ever holds half a file."""
    arriving = file.parent.with_name(f".{file.parent.name}.new")
    shutil.rmtree(arriving, ignore_errors=True)
    arriving.mkdir()
    target, sql = _quoted(str(arriving / file.name)), select.read_text(encoding="utf-8")
    try:
        connection.execute(f"copy ({sql}) to {target} (format parquet, row_group_size {_ROW_GROUP_ROWS})")
    except duckdb.Error as error:
        shutil.rmtree(arriving, ignore_errors=True)
        reason = str(error).splitlines()[0]
        raise ReportError(f"The report table {select.stem} cannot be made of the published marts: {reason}") from error
    _flush(arriving / file.name)
    shutil.rmtree(file.parent, ignore_errors=True)
    os.replace(arriving, file.parent)


def _replace_manifest(data_folder: Path, manifest: str) -> bool:
    current = data_folder / MANIFEST_NAME
    before = current.read_text(encoding="utf-8") if current.is_file() else None
    if before == manifest:
        return False
    if before is not None:
        _replace_text(data_folder / PREVIOUS_NAME, before)
    _replace_text(current, manifest)
    return True


def _replace_text(path: Path, text: str) -> None:
    arriving = path.with_name(f".{path.name}.new")
    arriving.write_text(text, encoding="utf-8")
    _flush(arriving)
    os.replace(arriving, path)


def _flush(path: Path) -> None:
    """Have the content on disk before its name: a power cut must not leave the manifest on empty files."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _remove_unnamed(data_folder: Path) -> None:
    named: set[str] = set()
    for name in (MANIFEST_NAME, PREVIOUS_NAME):
        if (data_folder / name).is_file():
            files = json.loads((data_folder / name).read_text(encoding="utf-8"))["renderedFiles"][SOURCE_NAME]
            named.update(Path(file).parent.name for file in files)
    for folder in data_folder.iterdir():
        if folder.is_dir() and folder.name not in named:
            shutil.rmtree(folder, ignore_errors=True)


def _table_key(select: Path, hashes: Mapping[str, str], published_at: datetime) -> str:
    sql = select.read_text(encoding="utf-8")
    parts = [select.stem, sql, duckdb.__version__, str(_ROW_GROUP_ROWS)]
    parts += [hashes[name] for name in marts_used(sql, hashes)]
    if "published_at" in sql:
        parts.append(published_at.isoformat())
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _published_at(marts: Mapping[str, Path]) -> datetime:
    newest = max(path.stat().st_mtime for path in marts.values())
    return datetime.fromtimestamp(int(newest), tz=UTC)


def _file_hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
