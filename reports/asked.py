"""Offers the published marts to readers' own questions: links their files into the site, and lists what they hold.

A mart about single persons is not offered: a table that anybody can sort and save would be a ranking of people.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from ingestion.errors import ReportError
from publishing.fingerprints import hash_file, read_fingerprints
from publishing.plant_file import MARTS, NAME
from reports.published_views import mart_files

LIST = "marts"  # the file with the list: <key>/marts.json
_KEY_LENGTH = 16


@dataclass(frozen=True)
class Offered:
    """What the marts hold, for the page, and the folders of their files below the site's data."""

    marts: dict[str, Any]
    keys: list[str]


def offer_marts(published: Path, has: Callable[[str, str], bool], data_folder: Path) -> Offered:
    """Link each mart's files below `data_folder`, each in a folder named after its content, and describe the marts.

    `has` tells whether a folder holds a file already. The page's list has for each mart: `row` (what a row is),
    `columns` (name, type, meaning), `files` (folders) and `bytes`. Without a file of views nothing is offered. Raises
    ReportError if that file cannot be read.
    """
    version = published.resolve()
    if not (version / NAME).is_file():
        return Offered({}, [])
    hashes = read_fingerprints(version)
    marts: dict[str, Any] = {}
    for mart, (row, columns) in _described(version / NAME).items():
        keys, size = [], 0
        for file in mart_files(version / f"{mart}.parquet"):
            key = (hashes.get(file.relative_to(version).as_posix()) or hash_file(file))[:_KEY_LENGTH]
            if not has(key, f"{mart}.parquet"):
                _link(file, data_folder / key, f"{mart}.parquet")
            keys.append(key)
            size += file.stat().st_size
        marts[mart] = {"row": row, "columns": columns, "files": keys, "bytes": size}
    return Offered(marts, [key for mart in marts.values() for key in mart["files"]])


def _described(file: Path) -> dict[str, tuple[str, list[list[str]]]]:
    """What a row and each column is, of every mart that is not about single persons."""
    try:
        with duckdb.connect(str(file), read_only=True) as connection:
            rows = connection.execute(
                f"select mart, comment from {MARTS} inner join duckdb_views() on view_name = mart "
                "where about <> 'person' order by mart"
            ).fetchall()
            columns = connection.execute(
                "select table_name, column_name, lower(data_type), coalesce(comment, '') from duckdb_columns() "
                "where not internal order by table_name, column_index"
            ).fetchall()
    except duckdb.Error as error:
        raise ReportError(f"The file of views {file} cannot be read: {str(error).splitlines()[0]}") from error
    return {mart: (row or "", [list(one) for of, *one in columns if of == mart]) for mart, row in rows}


def _link(file: Path, folder: Path, name: str) -> None:
    """A hard link to the file, or a copy where the file system has none, that appears whole."""
    folder.mkdir(exist_ok=True)
    arriving = folder / f".{name}.new"
    arriving.unlink(missing_ok=True)
    try:
        os.link(file, arriving)
    except OSError:
        shutil.copyfile(file, arriving)
    os.replace(arriving, folder / name)
