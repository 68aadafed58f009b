"""Publishes marts as the site's data: small Parquet files, prepared answers of each page, and the manifest of all.

The select for each table is in tables/ under the table's name; a table with a column `part` is split into a file for
each value. A file's folder is named after a hash of its content, so unchanged files are not written again, and a reader
never sees two versions under one name. Knows nothing about pages or the shell.
"""

import gzip
import hashlib
import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from ingestion.durable import put_in_place, sync, write_whole
from ingestion.errors import ReportError
from reports.asked import LIST, offer_marts
from reports.prepared_answers import (
    FRAME,
    QUERIES_FOLDER,
    ask_page,
    default_values,
    focus_values,
    page_names,
    parameters_of,
    to_json,
)
from reports.published_views import SHAPES, connect, find_marts, hash_marts, quoted

TABLES_FOLDER = Path(__file__).parent / "tables"
MANIFEST_NAME = "manifest.json"
PREVIOUS_NAME = "manifest.previous.json"
SCHEMA = "plant"  # the schema that queries name: `from plant.worker_shifts`

_WRITING = "format parquet, compression zstd"
_FOCUS_PAGES = ("hours", "timeline")  # pages of one site's one shift


@dataclass(frozen=True)
class DataReport:
    """Bytes and files written by one refresh, without unchanged files."""

    bytes_written: int
    files: int


@dataclass
class _Folder:
    """The data folder during a refresh: the files that the refresh names, and those that it had to write."""

    path: Path
    written: list[Path] = field(default_factory=list)

    def has(self, key: str, name: str) -> bool:
        return (self.path / key / name).is_file()

    def arrive(self, key: str, arriving: Path) -> None:
        """Rename a finished folder to its key, so that no name known to readers ever holds an incomplete file."""
        for file in arriving.iterdir():
            sync(file)
        shutil.rmtree(self.path / key, ignore_errors=True)
        put_in_place(arriving, self.path / key)
        self.written += (self.path / key).iterdir()

    def new(self, key: str) -> Path:
        arriving = self.path / f".{key}.new"
        shutil.rmtree(arriving, ignore_errors=True)
        arriving.mkdir()
        return arriving


def publish_data(published: Path, data_folder: Path, identity: str = "named", plant: str = "") -> DataReport:
    """Write the changed files, then replace the manifest by one rename.

    Files named by the previous manifest stay for readers that still have it; older files are removed. Raises
    ReportError if nothing is published or a published mart has an unexpected shape. `identity` is how the marts name
    people (named, pseudonym, aggregate), `plant` the plant's name; the manifest passes both to the pages.
    """
    marts = find_marts(published)
    data_folder.mkdir(parents=True, exist_ok=True)
    before = _read_manifest(data_folder / MANIFEST_NAME)
    hashes = hash_marts(marts)
    folder = _Folder(data_folder)
    tables: dict[str, Any] = {}
    with connect(marts) as connection:
        for select in sorted(TABLES_FOLDER.glob("*.sql")):
            tables[select.stem] = _refresh_table(connection, select, hashes, folder, before)
        _show_tables(connection, tables, data_folder)
        frame = ask_page(connection, FRAME, {})
        pages = {page: _refresh_page(connection, page, frame, folder) for page in page_names()}
    offered = offer_marts(published, folder.has, data_folder)
    listed = {"key": _write_json(LIST, to_json(offered.marts), folder), "files": offered.keys}
    version = {"version": published.resolve().name, "identity": identity, "definitions": definitions_hash()}
    manifest = to_json({**version, "plant": plant, "frame": frame, "pages": pages, "tables": tables, "marts": listed})
    is_new = _replace_manifest(data_folder, manifest)
    _remove_unnamed(data_folder)
    size = sum(file.stat().st_size for file in folder.written)
    return DataReport(bytes_written=size + is_new * len(manifest.encode()), files=len(folder.written) + is_new)


def table_files(site: Path, table: str) -> list[Path]:
    """The Parquet files that the site's manifest names for a table. Raises ReportError if there are none."""
    manifest = _read_manifest(site / "data" / MANIFEST_NAME)
    if table not in manifest.get("tables", {}):
        raise ReportError(f"The site in {site} holds no table {table}; run a batch first.")
    return [site / "data" / key / f"{table}.parquet" for key in manifest["tables"][table]["parts"].values()]


def remove_previous(data_folder: Path) -> None:
    """Remove the previous manifest and the files that only it names."""
    (data_folder / PREVIOUS_NAME).unlink(missing_ok=True)
    _remove_unnamed(data_folder)


def shown_version(data_folder: Path) -> str | None:
    """The name of the published version that the site's data was made from.

    None if there is no data yet, or if it was made with other definitions.
    """
    manifest = _read_manifest(data_folder / MANIFEST_NAME)
    return str(manifest["version"]) if manifest.get("definitions") == definitions_hash() else None


def shown_plant(data_folder: Path) -> str | None:
    """The plant's name in the site's manifest; None if there is no manifest yet."""
    plant: str | None = _read_manifest(data_folder / MANIFEST_NAME).get("plant")
    return plant


def definitions_hash() -> str:
    """One hash over the tables, the queries and the expected shapes of the marts."""
    files = [SHAPES, *sorted(TABLES_FOLDER.glob("*.sql")), *sorted(QUERIES_FOLDER.rglob("*.sql"))]
    return _key(*(f"{file.parent.name}/{file.name}\n{file.read_text(encoding='utf-8')}" for file in files))


def marts_used(sql: str, marts: Mapping[str, object]) -> list[str]:
    """The marts a select reads, by name, sorted."""
    return sorted(name for name in marts if re.search(rf"\b(from|join) {name}\b", sql))


def _refresh_table(
    connection: duckdb.DuckDBPyConnection,
    select: Path,
    hashes: Mapping[str, str],
    folder: _Folder,
    before: Mapping[str, Any],
) -> dict[str, Any]:
    """The table's entry in the manifest: `made_of`, a hash of select and marts, and `parts`, the folder of each part's
    file.

    There is always a part '' without rows, which gives the columns if no part has the requested rows.
    """
    sql = select.read_text(encoding="utf-8")
    used = [hashes[name] for name in marts_used(sql, hashes)]
    made_of = _key(select.stem, sql, SHAPES.read_text(encoding="utf-8"), duckdb.__version__, _WRITING, *used)
    entry: dict[str, Any] | None = before.get("tables", {}).get(select.stem)
    if (
        entry
        and entry["made_of"] == made_of
        and all(folder.has(key, f"{select.stem}.parquet") for key in entry["parts"].values())
    ):
        return entry
    try:
        connection.execute(f"create or replace temp table made as {sql}")
        columns = [row[0] for row in connection.execute("describe made").fetchall()]
        part = "part" if columns[0] == "part" else "'all'"
        # One pass finds the changed parts by a sum of row hashes, which does not depend on the order. It also finds
        # each part's row range, so that writing a part does not read the others.
        found = connection.execute(
            f"select {part}, count(*), sum(hash(made)::hugeint), bit_xor(hash(made)), "
            "coalesce(min(rowid), 0), coalesce(max(rowid), 0) from made "
            "group by all order by all"
        ).fetchall()
        kept = ", ".join(f'"{name}"' for name in columns if name != "part")
        shape = _key(sql, duckdb.__version__, _WRITING, str(connection.execute("describe made").fetchall()))
        parts = {}
        for name, *fingerprint, first, last in [("", 0, 0, 0), *found]:
            key, file = _key(shape, name, *map(str, fingerprint)), f"{select.stem}.parquet"
            parts[name] = key
            if not folder.has(key, file):
                arriving, where = folder.new(key), f"{part} = {quoted(name)} and rowid between {first} and {last}"
                target = quoted(str(arriving / file))
                connection.execute(f"copy (select {kept} from made where {where}) to {target} ({_WRITING})")
                folder.arrive(key, arriving)
        connection.execute("drop table made")
    except duckdb.Error as error:
        reason = str(error).splitlines()[0]
        raise ReportError(f"The report table {select.stem} cannot be made of the published marts: {reason}") from error
    return {"made_of": made_of, "parts": parts}


def _show_tables(connection: duckdb.DuckDBPyConnection, tables: Mapping[str, Any], data_folder: Path) -> None:
    connection.execute(f"create schema {SCHEMA}")
    for table, entry in tables.items():
        files = ", ".join(quoted(str(data_folder / key / f"{table}.parquet")) for key in entry["parts"].values())
        connection.execute(f"create view {SCHEMA}.{table} as select * from read_parquet([{files}])")


def _refresh_page(
    connection: duckdb.DuckDBPyConnection, page: str, frame: Mapping[str, Any], folder: _Folder
) -> dict[str, Any]:
    """The page's entry in the manifest: the folder of its prepared answers and their parameter values."""
    values = (focus_values if page in _FOCUS_PAGES else default_values)(frame)
    texts = [file.read_text(encoding="utf-8") for file in (QUERIES_FOLDER / page).glob("*.sql")]
    asked = {name: values[name] for name in sorted({name for sql in texts for name in parameters_of(sql)})}
    return {"key": _write_json(page, to_json(ask_page(connection, page, values)), folder), "values": asked}


def _write_json(name: str, text: str, folder: _Folder) -> str:
    """Write `<key>/<name>.json` if it is not there, and return its key."""
    key, file = _key(name, text), f"{name}.json"
    if not folder.has(key, file):
        arriving = folder.new(key)
        (arriving / file).write_text(text, encoding="utf-8")
        (arriving / f"{file}.gz").write_bytes(gzip.compress(text.encode(), 6, mtime=0))
        folder.arrive(key, arriving)
    return key


def _key(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _read_manifest(path: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return manifest


def _replace_manifest(data_folder: Path, manifest: str) -> bool:
    current = data_folder / MANIFEST_NAME
    before = current.read_text(encoding="utf-8") if current.is_file() else None
    if before == manifest:
        return False
    if before is not None:
        write_whole(data_folder / PREVIOUS_NAME, before)
    write_whole(current, manifest)
    return True


def _remove_unnamed(data_folder: Path) -> None:
    named: set[str] = set()
    for name in (MANIFEST_NAME, PREVIOUS_NAME):
        manifest = _read_manifest(data_folder / name)
        named.update(page["key"] for page in manifest.get("pages", {}).values())
        named.update(key for table in manifest.get("tables", {}).values() for key in table["parts"].values())
        marts = manifest.get("marts", {"key": "", "files": []})
        named.update((marts["key"], *marts["files"]))
    for folder in data_folder.iterdir():
        if folder.is_dir() and folder.name not in named:
            shutil.rmtree(folder, ignore_errors=True)
