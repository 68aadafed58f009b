"""All marts of the plant: those that dbt's models make, and those that `quality` makes of them. Decides nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ingestion.errors import TransformError, WarehouseError
from orchestration.dbt.manifest import manifest_path
from publishing.marts import Mart, declared
from quality import marts as check_marts
from quality.retraining import marts as model_marts

MADE_BY_PYTHON = {**check_marts.META, **model_marts.META}


def all_marts() -> list[Mart]:
    """Every mart with what it declares of itself, in alphabetical order.

    Raises:
        TransformError: a mart does not say what it is.
    """
    metas = {**_metas_of_models(manifest_path()), **MADE_BY_PYTHON}
    try:
        return [declared(name, meta) for name, meta in sorted(metas.items())]
    except WarehouseError as error:
        raise TransformError(str(error)) from error


@cache
def _metas_of_models(manifest: Path) -> Mapping[str, Mapping[str, Any]]:
    """By the folder of the manifest, which is named after its content."""
    nodes = json.loads(manifest.read_bytes())["nodes"].values()
    return {
        node["name"]: node["config"]["meta"]
        for node in nodes
        if node["resource_type"] == "model" and node["fqn"][1] == "marts"
    }
