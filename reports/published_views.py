"""The published marts as DuckDB views with the shapes that the report expects. Knows nothing about tables or pages."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from ingestion.errors import ReportError
from publishing.fingerprints import hash_file, read_fingerprints

SHAPES = Path(__file__).with_name("published_views.sql")


def find_marts(published: Path) -> dict[str, Path]:
    """Every published mart by name: a Parquet file, or a folder of them. Raises ReportError if there are none."""
    marts = {path.stem: path for path in sorted(published.resolve().glob("*.parquet"))}
    if not marts:
        raise ReportError(f"There are no published marts in {published}; run a batch first.")
    return marts


def mart_files(mart: Path) -> list[Path]:
    """The Parquet files of a mart, sorted; a folder may hold none."""
    return sorted(mart.rglob("*.parquet")) if mart.is_dir() else [mart]


def hash_marts(marts: Mapping[str, Path]) -> dict[str, str]:
    """For each mart a hash over the names and contents of its files, from the version's stored hashes if available."""
    known = {folder: read_fingerprints(folder) for folder in {path.parent for path in marts.values()}}
    hashes = {}
    for name, path in marts.items():
        digest = hashlib.sha256()
        for file in mart_files(path):
            hashed = known[path.parent].get(file.relative_to(path.parent).as_posix()) or hash_file(file)
            digest.update(f"{file.name} {hashed}\n".encode())
        hashes[name] = digest.hexdigest()
    return hashes


def published_at(marts: Mapping[str, Path]) -> datetime:
    """When the newest of the marts' files was written, to the second (UTC)."""
    files = [file for mart in marts.values() for file in (*mart_files(mart), mart)]
    return datetime.fromtimestamp(int(max(file.stat().st_mtime for file in files)), tz=UTC)


def connect(marts: Mapping[str, Path]) -> duckdb.DuckDBPyConnection:
    """A connection with a view for each mart that the report reads.

    A missing mart is an empty view, and a missing column holds NULLs. The variable `published_at` is set.
    Raises ReportError if a mart does not have the expected types.
    """
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'")
    connection.execute("create schema expected; use expected")
    connection.execute(SHAPES.read_text(encoding="utf-8"))
    shapes: dict[str, list[tuple[str, str]]] = {}
    for mart, column, kind in connection.execute(
        "select table_name, column_name, data_type from duckdb_columns() where schema_name = 'expected'"
        " order by table_oid, column_index"
    ).fetchall():
        shapes.setdefault(mart, []).append((column, kind))
    connection.execute("create schema marts; use marts")
    for mart, columns in shapes.items():
        connection.execute(f'create view "{mart}" as {_select(connection, mart, columns, marts.get(mart))}')
    connection.execute(f"set variable published_at = timestamp '{published_at(marts):%Y-%m-%d %H:%M:%S}'")
    return connection


def _select(connection: duckdb.DuckDBPyConnection, mart: str, columns: list[tuple[str, str]], path: Path | None) -> str:
    if path is None or not mart_files(path):
        return f"select * from expected.{mart}"
    # union_by_name: files of a folder may have been written before a column was added
    source = f"read_parquet([{', '.join(map(quoted, map(str, mart_files(path))))}], union_by_name = true)"
    try:
        present = {row[0] for row in connection.execute(f"describe select * from {source}").fetchall()}
    except duckdb.Error as error:
        raise ReportError(f"The published mart {mart} cannot be read: {str(error).splitlines()[0]}") from error
    chosen = (f"cast({f'{name}' if name in present else 'null'} as {kind}) as {name}" for name, kind in columns)
    return f"select {', '.join(chosen)} from {source}"


def quoted(text: str) -> str:
    """The text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"
