"""The plant's condition: its batches, waiting objects, rejected records, incidents and figures.

Reads published marts, Dagster's records and the bucket's listing, and never the warehouse.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

from ingestion.bucket import LocalBucket, open_bucket
from ingestion.landing.unread import Unread, pending_objects
from ingestion.settings import Settings
from orchestration.dagster_home.home import BATCH, open_instance
from orchestration.dagster_home.lost_runs import is_lost
from orchestration.health.finding import Finding
from publishing.version_names import published_at
from quality.alerts.batches import read_batches

if TYPE_CHECKING:
    from dagster import RunRecord

# The number of objects of a backlog to list: listing a million objects takes longer than a person waits.
BACKLOG_OBJECTS = 10_000
# The schedule starts a batch every hour. An object that has waited for two hours has been missed by a batch.
LONGEST_WAIT = timedelta(hours=2)
INCIDENTS_SHOWN = 3


@dataclass(frozen=True, slots=True)
class LastBatch:
    """The newest batch in Dagster's records. `outcome` is succeeded, failed, cancelled, waits, runs or lost."""

    outcome: str
    started_at: datetime
    seconds: float | None  # None while it has not ended


def last_batch(settings: Settings) -> LastBatch | None:
    """The newest batch in Dagster's records; None if there is none."""
    if not (settings.dagster_home / "dagster.yaml").is_file():
        return None
    from dagster import RunsFilter

    with open_instance(settings.dagster_home) as instance:
        records = instance.get_run_records(RunsFilter(job_name=BATCH), limit=1)
    return _batch_of(records[0], settings) if records else None


def _batch_of(record: RunRecord, settings: Settings) -> LastBatch:
    from dagster import DagsterRunStatus as Status

    run = record.dagster_run
    started = record.start_time or record.create_timestamp.timestamp()
    now = datetime.now(UTC).timestamp()
    if run.status in (Status.STARTED, Status.CANCELING) and is_lost(settings.dagster_home, run.run_id, now - started):
        outcome = "lost"
    else:
        known = {Status.SUCCESS: "succeeded", Status.FAILURE: "failed", Status.CANCELED: "cancelled"}
        known |= {Status.QUEUED: "waits", Status.NOT_STARTED: "waits"}
        outcome = known.get(run.status, "runs")
    seconds = None if record.end_time is None else record.end_time - started
    return LastBatch(outcome, datetime.fromtimestamp(started, UTC), seconds)


def batch(found: LastBatch | None) -> Finding:
    """The last batch in a sentence."""
    if found is None:
        return Finding("last batch", "No batch has run yet.")
    figures = {"outcome": found.outcome, "started_at": found.started_at.isoformat(), "seconds": found.seconds}
    when = f"{found.started_at:%Y-%m-%d %H:%M} UTC"
    took = "" if found.seconds is None else f" after {found.seconds:,.0f} s"
    told = {
        "succeeded": f"The batch of {when} succeeded{took}.",
        "failed": f"The batch of {when} failed{took}; Dagster's page and logs/batch.log in the data folder say why.",
        "cancelled": f"The batch of {when} was cancelled{took}.",
        "waits": f"A batch has waited to start since {when}.",
        "runs": f"A batch has been running since {when}.",
        "lost": f"The batch of {when} was killed; the next one lands what it left.",
    }
    return Finding("last batch", told[found.outcome], found.outcome not in ("failed", "lost"), figures)


def stop(settings: Settings) -> Finding:
    """Whether batches are stopped, and why."""
    batches = read_batches(settings)
    if not batches.are_stopped:
        return Finding("stop", "Nothing stops batches.", figures={"stopped_at": None})
    figures = {"stopped_at": batches.stopped_at, "why": batches.sentence}
    return Finding("stop", f"Since {batches.stopped_at} no batch has finished: {batches.sentence}", False, figures)


def backlog(settings: Settings, newest: LastBatch | None, now: datetime) -> Iterator[Finding]:
    """The objects that wait in the landing bucket; only the first ones are listed.

    Raises:
        BucketError: the bucket cannot be listed.
    """
    bucket = open_bucket(settings.landing_url)
    is_new = isinstance(bucket, LocalBucket) and not bucket.root.exists() and not settings.warehouse_path.exists()
    if settings.landed_objects == "keep" or is_new:
        why = "the bucket is not there yet" if is_new else "landed objects stay in the bucket"
        yield Finding("backlog", f"It cannot be counted, as {why}.")
        return
    waiting = list(islice(pending_objects(bucket, Unread(now)), BACKLOG_OBJECTS))
    if not waiting:
        yield Finding("backlog", "No object waits to be landed.", figures={"objects": 0})
        return
    oldest = min(info.modified for info in waiting).astimezone(UTC)
    more = " or more" if len(waiting) == BACKLOG_OBJECTS else ""
    are = f"{len(waiting):,}{more} objects wait" if len(waiting) > 1 else "1 object waits"
    told = f"{are} to be landed, the oldest since {oldest:%Y-%m-%d %H:%M} UTC"
    figures = {"objects": len(waiting), "oldest_at": oldest.isoformat()}
    is_under_way = newest is not None and newest.outcome in ("runs", "waits")
    if now - oldest > LONGEST_WAIT and not is_under_way:
        yield Finding("backlog", f"{told}; is the daemon running? floorhouse run lands them.", False, figures)
    else:
        yield Finding("backlog", f"{told}.", figures=figures)


def figures(settings: Settings, now: datetime) -> Finding:
    """The published version and its age."""
    published = published_at(settings)
    if published is None:
        return Finding("published", "Nothing is published yet.", figures={"published_at": None})
    told = f"The figures are of {published:%Y-%m-%d %H:%M} UTC, {_age(now - published)} ago."
    version = settings.published_path.resolve().name
    return Finding("published", told, figures={"published_at": published.isoformat(), "version": version})


def rejected(settings: Settings, today: date) -> Iterator[Finding]:
    """Records that were rejected yesterday and today, by the UTC day on which their object landed."""
    path = settings.published_path / "landed_objects.parquet"
    if not path.exists():
        return
    [(before, now, are_counted)] = _rows(
        """
        select
            coalesce(sum(rejected) filter (where cast(landed_at as date) = $yesterday), 0),
            coalesce(sum(rejected) filter (where cast(landed_at as date) = $today), 0),
            count(rejected) = count(*)
        from read_parquet($path)
        where cast(landed_at as date) in ($yesterday, $today)
        """,
        {"path": str(path), "today": today, "yesterday": today - timedelta(days=1)},
    )
    if not are_counted:
        yield Finding("rejected", "The counts of records are not published, as they could tell of single persons.")
        return
    told = f"Of what landed yesterday {before:,} records were rejected, of what landed today {now:,}."
    yield Finding("rejected", told, figures={"yesterday": int(before), "today": int(now)})


def incidents(settings: Settings) -> Iterator[Finding]:
    """The open incidents, with the sentences of the newest ones."""
    path = settings.published_path / "incidents.parquet"
    if not path.exists():
        return
    found = _rows(
        "select sentence, severity from read_parquet($path) where status = 'open' order by opened_at desc, incident_id",
        {"path": str(path)},
    )
    if not found:
        yield Finding("incidents", "None is open.", figures={"open": 0})
        return
    are = f"{len(found):,} are open" if len(found) > 1 else "One is open"
    newest = " ".join(sentence for sentence, _ in found[:INCIDENTS_SHOWN])
    yield Finding("incidents", f"{are}, the newest first: {newest}", False, {"open": len(found)})


def _rows(query: str, parameters: dict[str, Any]) -> list[Any]:
    import duckdb

    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        return connection.execute(query, parameters).fetchall()


def _age(age: timedelta) -> str:
    minutes = max(0, int(age.total_seconds() // 60))
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // (24 * 60)} days"
