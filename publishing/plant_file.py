"""`plant.duckdb` of a version: a view for each published mart, with every column described, for any client of DuckDB.

It holds no rows. Its views read the marts of the link `published`, so that a client which keeps it open sees every
later version too, and no client ever locks what a batch writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from ingestion.durable import put_in_place, sync
from ingestion.stored_tables import literal
from publishing.declarations import Mart

NAME = "plant.duckdb"
# A client sets this variable to read the marts of another folder: of a moved data folder, or of one version.
FOLDER = "published"
VERSION = "published_version"  # the view that names the version which the file came with
MARTS = "published_marts"  # the view that lists the marts
# Clients of DuckDB 1.1 and later read this format.
_FORMAT = "v1.0.0"


@dataclass(frozen=True, slots=True)
class Described:
    """What one row of a mart is, and what each of its columns means."""

    row: str
    columns: Mapping[str, str]


_OF_VERSION = Described(
    "One row: the version that this file came with.",
    {
        "version": "The version's name; names sort by time.",
        "folder": f"The version's own folder: with the variable `{FOLDER}` set to it, all reads are of this version.",
    },
)

_OF_MARTS = Described(
    "One row per mart.",
    {"mart": "The mart's name.", "about": "Whom its rows are about: person, group (of people), camera or plant."},
)


def write_plant_file(
    unfinished: Path, version: Path, published: Path, marts: Iterable[Mart], described: Mapping[str, Described]
) -> None:
    """Write the file into the folder of an unfinished version, whose marts are there already.

    `version` is the folder that it will be renamed to, and `published` the link that readers use.
    """
    _write(unfinished / NAME, unfinished, version, published, marts, described)


def put_in_its_place(published: Path, marts: Iterable[Mart], described: Mapping[str, Described]) -> None:
    """Write the published version's file again, by one rename, for the folder that it is in now."""
    version = published.resolve()
    arriving = version / f".{NAME}.new"
    arriving.unlink(missing_ok=True)
    there = [mart for mart in marts if (version / f"{mart.name}.parquet").exists()]
    _write(arriving, version, _folder(published), published, there, described)
    sync(arriving)
    put_in_place(arriving, version / NAME)


def _write(
    file: Path,
    marts_in: Path,
    version: Path,
    published: Path,
    marts: Iterable[Mart],
    described: Mapping[str, Described],
) -> None:
    folder = f"coalesce(getvariable({literal(FOLDER)}), {literal(published.absolute())})"
    with duckdb.connect() as connection:
        connection.execute(f"attach {literal(file)} as plant (storage_version {literal(_FORMAT)})")
        connection.execute("use plant")
        # A view is bound when it is made, and the marts are not published yet.
        connection.execute(f"set variable {FOLDER} = {literal(marts_in)}")
        connection.execute("begin")
        listed = sorted(marts, key=lambda mart: mart.name)
        for mart in listed:
            file_name = f"{mart.name}.parquet"
            name = f"/{file_name}" + ("/*.parquet" if (marts_in / file_name).is_dir() else "")
            source = f"read_parquet({folder} || {literal(name)}, union_by_name = true)"
            connection.execute(f'create view "{mart.name}" as select * from {source}')
            if mart.name in described:
                _describe(connection, mart.name, described[mart.name])
        connection.execute(
            f"create view {VERSION} as "
            f"select {literal(version.name)} as version, {literal(version.absolute())} as folder"
        )
        _describe(connection, VERSION, _OF_VERSION)
        values = ", ".join(f"({literal(mart.name)}, {literal(mart.about)})" for mart in listed)
        connection.execute(f"create view {MARTS} as select * from (values {values}) as marts(mart, about)")
        _describe(connection, MARTS, _OF_MARTS)
        connection.execute("commit")
        connection.execute("use memory")
        connection.execute("detach plant")


def is_in_its_place(published: Path) -> bool:
    """Whether the published version's file names the folder that it is in now."""
    file = published.resolve() / NAME
    if not file.is_file():
        return False
    with duckdb.connect(str(file), read_only=True) as connection:
        row = connection.execute(f"select folder from {VERSION}").fetchone()
    return row == (str(_folder(published)),)


def _folder(published: Path) -> Path:
    """The published version's folder, by the way to it that readers take."""
    version = published.resolve()
    return published.absolute().parent / version.parent.name / version.name


def _describe(connection: duckdb.DuckDBPyConnection, view: str, described: Described) -> None:
    connection.execute(f'comment on view "{view}" is {literal(described.row)}')
    there = {name for name, *_ in connection.execute(f'describe "{view}"').fetchall()}
    for column in [name for name in described.columns if name in there]:  # another release may have published the file
        text = described.columns[column]
        connection.execute(f'comment on column "{view}"."{column}" is {literal(text)}')
