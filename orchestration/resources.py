"""Resources of assets and sensors: the settings, the clock, and the warehouse's lock for a whole run."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import dagster as dg
import duckdb

from ingestion.settings import Settings, read_settings
from ingestion.warehouse import warehouse_lock
from orchestration.dagster_home.lost_runs import mark_running

# Runs that write the warehouse share this pool, whose limit is one run (home.py).
WAREHOUSE_POOL = "warehouse"


def _machine_time() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Clock:
    """The time that counts as now. `is_right` means that a person vouches for it, so that no check doubts it."""

    now: Callable[[], datetime] = _machine_time
    is_right: bool = False


@dataclass(frozen=True, slots=True)
class Warehouse:
    """The warehouse, held by one run at a time, both on this machine and in Dagster."""

    settings: Settings

    def row_counts(self) -> dict[str, int]:
        """The number of rows of every table by `schema.table`, from DuckDB's statistics (nothing is scanned)."""
        with duckdb.connect(self.settings.warehouse_path) as connection:
            rows = connection.execute(
                "select schema_name || '.' || table_name, estimated_size from duckdb_tables()"
            ).fetchall()
        return dict(rows)


@dg.resource(description="The plant's settings, read from the environment when a run starts.")
def settings_resource(context: dg.InitResourceContext) -> Iterator[Settings]:
    """The settings of the environment. A bad setting stops the run with its sentence.

    Every job uses this resource, so a run marks here that its process lives.
    """
    settings = read_settings()
    if context.run is None:  # an evaluation by a sensor
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
    """Wait for the warehouse, and hold it for the run. One process per run: several would wait for each other."""
    settings: Settings = context.resources.settings
    log = context.log.info if context.log else print
    run_id = context.run.run_id if context.run else "no-run"
    with mark_running(settings.dagster_home, run_id), warehouse_lock(settings, log=log):
        yield Warehouse(settings)
