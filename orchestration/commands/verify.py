"""`floorhouse verify`: checks that the marts equal a full rebuild from the raw tables, row for row and bit for bit.

The rebuild works on a copy of the warehouse in a folder of its own. The plant's lock is held only while the copy is
made, so batches go on meanwhile. Nothing of the plant is changed, whatever the result is.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from ingestion.settings import Settings, read_settings
from ingestion.stored_tables import literal
from orchestration.copies import copied_warehouse
from orchestration.dbt.build_state import forget_builds
from orchestration.dbt.runner import build_models


@dataclass(frozen=True, slots=True)
class Comparison:
    """A mart and its rebuild: the rows of both, and how many rows only one of them has."""

    mart: str
    rows: int
    rebuilt_rows: int
    only_live: int
    only_rebuilt: int

    @property
    def is_equal(self) -> bool:
        """Whether both hold the same rows."""
        return not self.only_live and not self.only_rebuilt


def verify(settings: Settings, log: Callable[[str], None] = lambda _: None) -> list[Comparison]:
    """Compare every mart that the models make with a full rebuild from the same raw tables.

    Changes that no batch has computed yet are computed in the copy first, so that they do not count as differences.

    Raises:
        WarehouseError: there is no warehouse yet, or no room for a copy of it.
        TransformError: a model or a test failed in the copy.
    """
    with copied_warehouse(settings, log) as copy:
        build_models(copy, log=log)
        live = copy.data_dir / "live.duckdb"
        _keep_marts(copy.warehouse_path, live)
        log("computing everything again in a copy of the warehouse")
        forget_builds(copy)
        build_models(copy, log=log)
        return list(_compare(copy.warehouse_path, live))


def _keep_marts(warehouse: Path, kept: Path) -> None:
    with duckdb.connect(kept) as connection:
        connection.execute(f"attach {literal(warehouse)} as warehouse (read_only)")
        for mart in _marts(connection):
            connection.execute(f'create table "{mart}" as from warehouse.marts."{mart}"')


def _marts(connection: duckdb.DuckDBPyConnection) -> list[str]:
    rows = connection.execute(
        "select table_name from duckdb_tables() "
        "where database_name = 'warehouse' and schema_name = 'marts' order by table_name"
    ).fetchall()
    return [name for (name,) in rows]


def _compare(rebuilt: Path, live: Path) -> Iterator[Comparison]:
    with duckdb.connect(live) as connection:
        connection.execute(f"attach {literal(rebuilt)} as warehouse (read_only)")
        for mart in _marts(connection):
            ours, theirs = f'main."{mart}"', f'warehouse.marts."{mart}"'
            yield Comparison(
                mart,
                _count(connection, f"from {ours}"),
                _count(connection, f"from {theirs}"),
                _count(connection, f"({_exact(connection, ours)}) except all ({_exact(connection, theirs)})"),
                _count(connection, f"({_exact(connection, theirs)}) except all ({_exact(connection, ours)})"),
            )


def _exact(connection: duckdb.DuckDBPyConnection, table: str) -> str:
    """A select in which two doubles are equal only if every bit is equal: as text, 0.0 and -0.0 differ too."""
    columns = connection.execute(f"select column_name, column_type from (describe {table})").fetchall()
    texts = [f'"{name}"::varchar as "{name}"' if kind == "DOUBLE" else f'"{name}"' for name, kind in columns]
    return f"select {', '.join(texts)} from {table}"


def _count(connection: duckdb.DuckDBPyConnection, rows: str) -> int:
    row = connection.execute(f"select count(*) from ({rows})").fetchone()
    return int(row[0]) if row else 0


def table_lines(comparisons: Sequence[Comparison]) -> list[str]:
    """The result for people, one line for each mart."""
    width = max((len(one.mart) for one in comparisons), default=0)
    lines = [f"{'mart':<{width}}  {'rows':>12}  {'rebuilt':>12}  difference"]
    for one in comparisons:
        found = (
            "none" if one.is_equal else f"{one.only_live:,} rows only here, {one.only_rebuilt:,} only in the rebuild"
        )
        lines.append(f"{one.mart:<{width}}  {one.rows:>12,}  {one.rebuilt_rows:>12,}  {found}")
    return lines


def verify_plant() -> int:
    """Compare all marts with their rebuild. Returns exit status 0 if all are equal, else 1.

    Raises:
        FloorhouseError: a setting is wrong, or the comparison cannot be made.
    """
    comparisons = verify(read_settings(), log=lambda line: print(f"verify    {line}", flush=True))
    print(*table_lines(comparisons), sep=os.linesep)
    different = [one.mart for one in comparisons if not one.is_equal]
    if different:
        print(f"Not what a full rebuild gives: {', '.join(different)}.", file=sys.stderr)
        return 1
    print("Every mart is what a full rebuild gives, row for row.")
    return 0
