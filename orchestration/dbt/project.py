"""The dbt project's folder, and running one dbt command on it in this process.

A subprocess per batch would spend most of a small batch on imports and parsing. So dbt runs in the existing process,
and the project is parsed once for all plants and batches (manifest.py).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingestion.memory import database_memory
from ingestion.settings import Settings
from orchestration.dbt.overhead import cut_overhead

if TYPE_CHECKING:
    from dbt.cli.main import dbtRunnerResult
    from dbt.contracts.graph.manifest import Manifest

PROJECT_DIR = Path(__file__).resolve().parents[2] / "dbt_project"


def run_dbt(
    settings: Settings,
    arguments: Sequence[str],
    on_event: Callable[[Any], None] | None = None,
    manifest: Manifest | None = None,
) -> dbtRunnerResult:
    """Run one dbt command on the plant's warehouse. dbt's files (target, log) go into the plant's data folder.

    With a `manifest` dbt does not parse the project again.
    """
    # Imported here: dbt takes seconds to import, and not every process needs it.
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    cut_overhead()
    work_path = settings.data_dir / "dbt"
    variables = {
        "FLOORHOUSE_WAREHOUSE": str(settings.warehouse_path),
        "FLOORHOUSE_DATABASE_MEMORY": f"{database_memory()}B",
    }
    with _environment(variables):
        try:
            return dbtRunner(manifest, callbacks=[on_event] if on_event else None).invoke(
                [
                    *arguments,
                    *("--project-dir", str(PROJECT_DIR), "--profiles-dir", str(PROJECT_DIR)),
                    *("--target-path", str(work_path), "--log-path", str(work_path / "logs")),
                    *("--log-level", "none", "--log-level-file", "info", "--no-print"),
                ]
            )
        finally:
            # dbt keeps the warehouse open until the process ends, which would lock all other processes out.
            DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set the variables that dbt's profile reads, during one command."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
