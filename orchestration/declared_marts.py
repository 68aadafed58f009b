"""The declarations of the plant's tables: the marts of dbt's models and of `quality`, and the tables with history."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from ingestion.errors import TransformError, WarehouseError
from ingestion.stored_tables import Table
from orchestration.dbt.manifest import manifest_path
from publishing.declarations import Mart, declared, write_marts
from publishing.histories import History, write_histories
from publishing.plant_file import Described
from quality import mart_columns as check_marts
from quality.columns import COLUMNS
from quality.retraining import tables as model_marts

MADE_BY_PYTHON = {**check_marts.META, **model_marts.META}
DESCRIBED_BY_PYTHON = {
    mart: Described(row, COLUMNS[mart])
    for mart, row in {**check_marts.DESCRIPTIONS, **model_marts.DESCRIPTIONS}.items()
}


def write_declarations(connection: duckdb.DuckDBPyConnection) -> None:
    """Write the declarations of all tables into the warehouse, for code that publishes, keeps or deletes rows.

    Raises:
        TransformError: a table has no complete declaration.
    """
    write_marts(connection, all_marts())
    write_histories(connection, all_histories())


def all_marts() -> list[Mart]:
    """Every mart with its declaration, in alphabetical order.

    Raises:
        TransformError: a mart has no complete declaration.
    """
    models = {table.name: model.meta for table, model in _models(manifest_path()).items() if table.schema == "marts"}
    metas = {**models, **MADE_BY_PYTHON}
    try:
        return [declared(name, meta) for name, meta in sorted(metas.items())]
    except WarehouseError as error:
        raise TransformError(str(error)) from error


def all_histories() -> Iterator[History]:
    """Every model table whose rows are dated by a column: those that a batch computes in part, and dated marts.

    Raises:
        TransformError: a model that a batch computes in part does not declare the column that dates its rows.
    """
    for table, model in _models(manifest_path()).items():
        if model.is_scoped and not model.meta.get("day"):
            raise TransformError(
                f"The model {table.name} is scoped and declares no day; see dbt_project/macros/scope.sql."
            )
        if (model.is_scoped or table.schema == "marts") and model.meta.get("day"):
            yield History(table, model.meta["day"])


def all_descriptions() -> dict[str, Described]:
    """The descriptions of every mart's rows and columns."""
    models = _models(manifest_path()).items()
    return {table.name: model.described for table, model in models if table.schema == "marts"} | DESCRIBED_BY_PYTHON


class _Model(NamedTuple):
    """The declaration of a model. `is_scoped`: a batch computes it in part."""

    is_scoped: bool
    meta: Mapping[str, Any]
    described: Described


@cache
def _models(manifest: Path) -> Mapping[Table, _Model]:
    """Every model. The manifest's folder is named after its content."""
    nodes = json.loads(manifest.read_bytes())["nodes"].values()
    return {Table(node["schema"], node["name"]): _model(node) for node in nodes if node["resource_type"] == "model"}


def _model(node: Mapping[str, Any]) -> _Model:
    config = node["config"]
    is_scoped = config["materialized"] == "incremental" and config["incremental_strategy"] == "scoped"
    columns = {name: " ".join(column["description"].split()) for name, column in node["columns"].items()}
    return _Model(is_scoped, config["meta"], Described(" ".join(node["description"].split()), columns))
