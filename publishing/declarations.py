"""The declarations of marts: what their rows are about, their day column, and whether they keep history.

A dbt model declares these in its `meta`; a mart made by Python declares them beside its columns, with the same keys.
Each build writes all declarations to the warehouse (build.marts), where publishing, retention and erasure read them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import duckdb

from ingestion.errors import WarehouseError

# A row is about one person, a group of people, cameras or models, or the plant itself.
ABOUT = ("person", "group", "camera", "plant")
# What a batch recomputes of a table (dbt_project/macros/scope.sql); `whole` is a table without history.
SCOPES = ("window", "shift_date", "date", "camera_date", "object", "whole")
REGISTRIES = ("worker", "workstation")
_KEYS = {"about", "scope", "day", "names"}


@dataclass(frozen=True, slots=True)
class Mart:
    """One mart. `day` is its day column, or None; an instant counts as its UTC date.
    `names` lists the registries whose names a row shows.
    """

    name: str
    about: str
    scope: str
    day: str | None
    names: tuple[str, ...]

    @property
    def has_history(self) -> bool:
        """Whether a batch recomputes only some of its rows; otherwise it is computed as a whole."""
        return self.scope != "whole"


def declared(name: str, meta: Mapping[str, Any]) -> Mart:
    """The mart of this name.

    Raises:
        WarehouseError: the declaration is incomplete or has an unknown value.
    """
    if missing := sorted(_KEYS - set(meta)):
        raise WarehouseError(f"The mart {name} does not declare {', '.join(missing)}; see publishing/declarations.py.")
    mart = Mart(name, meta["about"], meta["scope"], meta["day"], tuple(meta["names"]))
    if mart.about not in ABOUT or mart.scope not in SCOPES or not set(mart.names) <= set(REGISTRIES):
        raise WarehouseError(f"The mart {name} declares an unknown value: {mart}; see publishing/declarations.py.")
    return mart


def write_marts(connection: duckdb.DuckDBPyConnection, marts: Iterable[Mart]) -> None:
    """Replace the stored declarations."""
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
    """The declared marts that exist in the schema `marts`, sorted by name."""
    rows = connection.execute(
        """
        select mart, about, scope, day, names
        from build.marts
        where mart in (select table_name from duckdb_tables() where schema_name = 'marts')
        order by mart
        """
    ).fetchall()
    return {mart: Mart(mart, about, scope, day, tuple(names)) for mart, about, scope, day, names in rows}
