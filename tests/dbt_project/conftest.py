"""The models' SQL as dbt compiles it, once for all tests of this folder."""

from __future__ import annotations

from typing import Any

import pytest

from ingestion.settings import Settings
from orchestration.dbt.project import PROJECT_DIR, run_dbt


@pytest.fixture(scope="package")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The SQL of every model, by its name."""
    compiled: Any = run_dbt(Settings(data_dir=tmp_path_factory.mktemp("compiled")), ["compile"])
    assert compiled.success
    models = {path.stem for path in (PROJECT_DIR / "models").rglob("*.sql")}
    nodes = [row.node for row in compiled.result.results]
    texts = {node.name: node.compiled_code for node in nodes if node.resource_type == "model"}
    assert texts.keys() == models
    return texts
