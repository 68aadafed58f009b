"""Resources of assets and sensors: the settings, the clock, and the right to write the warehouse for a whole run."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import dagster as dg
import duckdb

from ingestion.settings import Settings, read_settings
from ingestion.warehouse import warehouse_lock
from orchestration.dagster_home.lost_runs import mark_running

# Runs that write the warehouse share this pool; its limit is one run (home.py).
WAREHOUSE_POOL = "warehouse"


def _machine_time() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Clock:
    """What counts as now. `is_right` means that a person vouches for it, so that no check doubts it."""

    now: Callable[[], datetime] = _machine_time
    is_right: bool = False


@dataclass(frozen=True, slots=True)
class Warehouse:
    """Held by one run at a time, on this machine and in Dagster alike."""

    settings: Settings

    def row_counts(self) -> dict[str, int]:
        """Rows of every table by `schema.table`, as DuckDB keeps them (nothing is scanned)."""
        with duckdb.connect(self.settings.warehouse_path) as connection:
            rows = connection.execute(
                "select schema_name || '.' || table_name, estimated_size from duckdb_tables()"
            ).fetchall()
        return dict(rows)


@dg.resource(description="The plant's settings, read from the environment when a run starts.")
def settings_resource(context: dg.InitResourceContext) -> Iterator[Settings]:
    """The settings of the environment; a bad one stops the run with its sentence.

    Every job asks for them, so here a run marks that its process lives.
    """
    settings = read_settings()
    if context.run is None:  # a sensor's turn
        yield settings
        return
    with mark_running(settings.dagster_home, context.run.run_id):
        yield settings


@dg.resource(
    required_resource_keys={"settings"},
    description="The right to write the warehouse, held from the first step of a run to its last: two batches never "
    "meet between landing, transforming and publishing.",
)
def warehouse_resource(context: dg.InitResourceContext) -> Iterator[Warehouse]:
    """Wait for the warehouse, hold it for the run. One process per run: a run in many would wait for itself."""
    settings: Settings = context.resources.settings
    log = context.log.info if context.log else print
    run_id = context.run.run_id if context.run else "no-run"
    with mark_running(settings.dagster_home, run_id), warehouse_lock(settings, log=log):
        yield Warehouse(settings)
