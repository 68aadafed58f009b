"""What the plant's tables declare of themselves: the marts of dbt's models and of `quality`, and what keeps history."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from ingestion.errors import TransformError, WarehouseError
from ingestion.stored_tables import Table
from orchestration.dbt.manifest import manifest_path
from publishing.histories import History, write_histories
from publishing.marts import Mart, declared, write_marts
from quality import marts as check_marts
from quality.retraining import marts as model_marts

MADE_BY_PYTHON = {**check_marts.META, **model_marts.META}


def write_declarations(connection: duckdb.DuckDBPyConnection) -> None:
    """Have the warehouse say what its tables are, for whoever publishes, keeps or deletes rows.

    Raises:
        TransformError: a table does not say what it is.
    """
    write_marts(connection, all_marts())
    write_histories(connection, all_histories())


def all_marts() -> list[Mart]:
    """Every mart with what it declares of itself, in alphabetical order.

    Raises:
        TransformError: a mart does not say what it is.
    """
    models = {name: meta for (schema, name), (_, meta) in _models(manifest_path()).items() if schema == "marts"}
    metas = {**models, **MADE_BY_PYTHON}
    try:
        return [declared(name, meta) for name, meta in sorted(metas.items())]
    except WarehouseError as error:
        raise TransformError(str(error)) from error


def all_histories() -> Iterator[History]:
    """Every table of the models whose rows something dates: those that a batch computes in part, and dated marts.

    Raises:
        TransformError: a model that a batch computes in part does not say which column dates its rows.
    """
    for table, (is_scoped, meta) in _models(manifest_path()).items():
        if is_scoped and not meta.get("day"):
            raise TransformError(
                f"The model {table.name} is scoped and declares no day; see dbt_project/macros/scope.sql."
            )
        if (is_scoped or table.schema == "marts") and meta.get("day"):
            yield History(table, meta["day"])


@cache
def _models(manifest: Path) -> Mapping[Table, tuple[bool, Mapping[str, Any]]]:
    """Whether a batch computes a model in part, and its `meta`. The manifest's folder is named after its content."""
    nodes = json.loads(manifest.read_bytes())["nodes"].values()
    return {
        Table(node["schema"], node["name"]): (
            node["config"]["materialized"] == "incremental" and node["config"]["incremental_strategy"] == "scoped",
            node["config"]["meta"],
        )
        for node in nodes
        if node["resource_type"] == "model"
    }
