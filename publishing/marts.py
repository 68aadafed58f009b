"""What a mart is, as the mart declares it: what its rows are about, what dates them, whether it keeps history.

A model declares it in its `meta`, a mart that Python makes beside its columns, in the same words. Each build writes all
declarations into the warehouse (build.marts), where whoever publishes, keeps or deletes rows reads them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import duckdb

from ingestion.errors import WarehouseError

# A row is about one person, about a group of people together, about cameras or models, or about the plant itself.
ABOUT = ("person", "group", "camera", "plant")
# What of a table a batch computes again (dbt_project/macros/scope.sql); `whole` is a table without history.
SCOPES = ("window", "shift_date", "date", "camera_date", "object", "whole")
REGISTRIES = ("worker", "workstation")
_KEYS = {"about", "scope", "day", "names"}


@dataclass(frozen=True, slots=True)
class Mart:
    """One mart. `day` is the column that dates a row, None where nothing does; an instant stands for its UTC date.
    `names` says of which registries' entries a row shows the names.
    """

    name: str
    about: str
    scope: str
    day: str | None
    names: tuple[str, ...]

    @property
    def has_history(self) -> bool:
        """Whether a batch changes some of its rows and leaves the others; else it is computed whole."""
        return self.scope != "whole"


def declared(name: str, meta: Mapping[str, Any]) -> Mart:
    """The mart of this name.

    Raises:
        WarehouseError: the declaration lacks something, or says what nobody knows.
    """
    if missing := sorted(_KEYS - set(meta)):
        raise WarehouseError(f"The mart {name} does not declare {', '.join(missing)}; see publishing/marts.py.")
    mart = Mart(name, meta["about"], meta["scope"], meta["day"], tuple(meta["names"]))
    if mart.about not in ABOUT or mart.scope not in SCOPES or not set(mart.names) <= set(REGISTRIES):
        raise WarehouseError(f"The mart {name} declares what is not known: {mart}; see publishing/marts.py.")
    return mart


def write_marts(connection: duckdb.DuckDBPyConnection, marts: Iterable[Mart]) -> None:
    """Replace the declarations that the warehouse holds."""
    connection.execute("create schema if not exists build")
    connection.execute(
        "create or replace table build.marts (mart varchar, about varchar, scope varchar, day varchar, names varchar[])"
    )
    for mart in marts:
        connection.execute(
            "insert into build.marts values (?, ?, ?, ?, ?)",
            [mart.name, mart.about, mart.scope, mart.day, list(mart.names)],
        )


def read_marts(connection: duckdb.DuckDBPyConnection) -> dict[str, Mart]:
    """The declared marts that the schema `marts` holds, by name, in alphabetical order."""
    rows = connection.execute(
        """
        select mart, about, scope, day, names
        from build.marts
        where mart in (select table_name from duckdb_tables() where schema_name = 'marts')
        order by mart
        """
    ).fetchall()
    return {mart: Mart(mart, about, scope, day, tuple(names)) for mart, about, scope, day, names in rows}
