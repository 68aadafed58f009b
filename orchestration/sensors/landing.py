"""Starts a batch if there is something to land, and again after a failed batch, until one succeeds.

A net for a plant whose bucket nobody watches: while the daemon's watcher (orchestration/live) is alive, it starts the
batches. The listing and Dagster's records of runs decide. No object is read and no warehouse is opened.
"""

import time
from datetime import UTC, datetime
from itertools import takewhile
from pathlib import Path

import dagster as dg

from ingestion.bucket import open_landing_bucket
from ingestion.settings import Settings
from orchestration.dagster_home.lost_runs import end_lost_runs
from orchestration.dagster_home.old_runs import remove_old_runs
from orchestration.live.decision import (
    REGISTRY_PREFIX,
    RETRY_SECONDS,
    Failures,
    Landed,
    Wait,
    decide,
    landable_objects,
    remember,
)
from orchestration.live.place import is_watched

INTERVAL_SECONDS = 30

_FAILED = (dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)


def published_manifest(settings: Settings) -> dict[str, Landed]:
    """The landed objects of the published marts, by key; empty if landed objects are moved away, as the rest is new."""
    path = settings.published_path / "landed_objects.parquet"
    if settings.landed_objects == "archive" or not path.exists():
        return {}
    return _read_manifest(path)


def _read_manifest(path: Path) -> dict[str, Landed]:
    import duckdb

    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        rows = connection.execute(
            "select object_key, list(bytes), max(landed_at) from read_parquet($path) group by object_key",
            {"path": str(path)},
        ).fetchall()
    return {key: Landed(frozenset(sizes), landed_at) for key, sizes, landed_at in rows}


def build_landing_sensor(job_name: str) -> dg.SensorDefinition:
    """The sensor that starts the job of this name."""

    @dg.sensor(
        name="landing_sensor",
        job_name=job_name,
        minimum_interval_seconds=INTERVAL_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Starts a batch when something lies in the bucket that is not landed yet.",
    )
    def landing_sensor(
        context: dg.SensorEvaluationContext, settings: dg.ResourceParam[Settings]
    ) -> dg.SensorResult | dg.SkipReason:
        end_lost_runs(context.instance, settings.dagster_home)
        remove_old_runs(context.instance, settings.dagster_home, time.time())
        if is_watched(settings):
            return dg.SkipReason("The watcher of the bucket starts the batches.")
        bucket = open_landing_bucket(settings)
        decision = decide(
            landable_objects(bucket, settings, datetime.now(UTC)),
            list(bucket.list(REGISTRY_PREFIX)),
            landed=published_manifest(settings),
            requested=context.cursor or "",
            is_batch_waiting=_is_batch_waiting(context.instance, job_name),
            failures=failures_of(context.instance, job_name),
            now=datetime.now(UTC),
        )
        if isinstance(decision, Wait):
            return dg.SkipReason(decision.reason)
        context.log.info(decision.reason)
        run_key = f"after {decision.after}" if decision.after else decision.fingerprint
        request = dg.RunRequest(run_key=run_key, tags={"floorhouse/reason": decision.reason})
        return dg.SensorResult(run_requests=[request], cursor=remember(decision))

    return landing_sensor


def failures_of(instance: dg.DagsterInstance, job_name: str) -> Failures | None:
    """The failures since the last batch that succeeded; None if the newest batch succeeded or has not ended."""
    records = instance.get_run_records(dg.RunsFilter(job_name=job_name), limit=len(RETRY_SECONDS))
    failed = list(takewhile(lambda record: record.dagster_run.status in _FAILED, records))
    if not failed:
        return None
    ended_at = datetime.fromtimestamp(failed[0].end_time or failed[0].update_timestamp.timestamp(), UTC)
    return Failures(len(failed), failed[0].dagster_run.run_id, ended_at)


def _is_batch_waiting(instance: dg.DagsterInstance, job_name: str) -> bool:
    waiting = [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED]
    return instance.get_runs_count(dg.RunsFilter(job_name=job_name, statuses=waiting)) > 0
