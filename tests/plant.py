"""A small real plant in a temporary folder: bucket, warehouse, models and published marts, without Dagster."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from ingestion.bucket import open_bucket
from ingestion.landing.batch import LandingReport, land
from ingestion.settings import Settings
from ingestion.warehouse import warehouse_lock
from orchestration.dbt import runner
from orchestration.dbt.runner import build_models
from orchestration.publish import publish_build
from publishing.versions import PublishReport

# dbt's arguments for batches of tests that do not look at the data tests.
WITHOUT_DATA_TESTS = (*runner.BUILD, "--exclude-resource-type", "test")
NOW = datetime(2026, 3, 1, tzinfo=UTC)
EVENT = {
    "timestamp": "2026-01-15T10:15:00Z",
    "worker_id": "W1",
    "workstation_id": "S3",
    "event_type": "working",
    "confidence": 0.93,
}


class Plant:
    """A plant: drop objects in its bucket, run batches, read its marts."""

    def __init__(self, data_dir: Path, **settings: Any) -> None:
        self.settings = Settings(data_dir=data_dir, **settings)
        self.landing = data_dir / "landing"

    def drop(self, key: str, content: str | bytes) -> Path:
        """Put an object into the bucket under its key."""
        path = self.landing / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def waiting_keys(self) -> list[str]:
        """Keys of the objects that have not been moved to the archive."""
        return [info.key for info in open_bucket(self.settings.landing_url).list("events/")]

    def land(self, now: datetime = NOW, log: Callable[[str], None] = lambda _: None) -> LandingReport:
        """Land the bucket's objects."""
        with warehouse_lock(self.settings):
            return land(self.settings, now, log)

    def batch(self, now: datetime = NOW, data_tests: bool = False) -> PublishReport:
        """Land, build the models, publish; with the models' data tests if a test checks the rules of the marts."""
        with warehouse_lock(self.settings):
            land(self.settings, now)
            build_models(self.settings, data_tests=data_tests)
            return publish_build(self.settings)

    def mart(self, name: str) -> list[dict[str, Any]]:
        """A published mart's rows, in the order of its columns. Instants are aware, in UTC; local times are naive."""
        return self.query(f"from '{self.settings.published_path / name}.parquet' order by all")

    def raw(self, table: str) -> list[dict[str, Any]]:
        """A raw table's rows."""
        return self.query(f"from warehouse.raw.{table} order by all", attach=True)

    def query(self, sql: str, attach: bool = False) -> list[dict[str, Any]]:
        """The rows of a query over Parquet files or over the warehouse, attached as `warehouse`."""
        with duckdb.connect() as connection:
            connection.execute("set timezone = 'UTC'")
            if attach:
                connection.execute(f"attach '{self.settings.warehouse_path}' as warehouse (read_only)")
            result = connection.execute(sql)
            names = [column[0] for column in result.description]
            rows = [dict(zip(names, row, strict=True)) for row in result.fetchall()]
        for row in rows:
            for name, value in row.items():
                if isinstance(value, datetime) and value.tzinfo:
                    row[name] = value.astimezone(UTC)
        return rows


def assert_same_marts(plant: Plant, other: Plant) -> None:
    """Run a batch in both plants and compare all published marts."""
    plant.batch()
    other.batch()
    names = sorted(path.stem for path in other.settings.published_path.glob("*.parquet"))
    assert len(names) >= 8
    for name in names:
        assert plant.mart(name) == other.mart(name), name
