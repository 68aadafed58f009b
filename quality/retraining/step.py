"""A batch's step for model operations: verdicts, requests and the outbox. It runs after the marts are computed.

Reads the warehouse and the settings, and writes two marts and the outbox. After a kill, every part can run again.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from pathlib import Path

import duckdb

from ingestion.settings import Settings
from ingestion.warehouse import open_warehouse
from quality.checks.site_baselines import read_baselines
from quality.retraining import triggers
from quality.retraining.outbox import HandoverFolder
from quality.retraining.requests import Model, Request, close_answered, open_new
from quality.retraining.review_drops import drop_reviews
from quality.retraining.tables import (
    Version,
    make_tables,
    read_requests,
    read_reviewed,
    read_versions,
    write_requests,
    write_verdicts,
)
from quality.retraining.tracking import track_requests
from quality.retraining.training_set import DAYS, HOLDOUT_SHARE, write_training_set
from quality.retraining.triggers import Finding
from quality.retraining.verdicts import METRICS, compare

TRAINING_SET = "training_set.parquet"
MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class Report:
    """The counts of one batch: rows of the two marts, requests open, opened and closed, review events, MLflow runs."""

    verdicts: int
    requests: int
    open_requests: int
    opened: int
    closed: int
    dropped_reviews: int
    tracked: int


def operate_models(settings: Settings, now: datetime, log: Callable[[str], None] = lambda _: None) -> Report:
    """Compare versions, open and close requests, and fill the outbox. The caller must hold the warehouse's lock.

    Raises:
        WarehouseError: the warehouse or the outbox cannot be written; the next batch completes the work.
    """
    with open_warehouse(settings) as connection:
        make_tables(connection)
        versions = read_versions(connection)
        verdicts = [
            (model, earlier.model_version, later.model_version, verdict)
            for model, known in versions.items()
            for earlier, later in pairwise(known)
            for verdict in (
                compare(metric, earlier.camera_days[metric], later.camera_days[metric]) for metric in METRICS
            )
        ]
        write_verdicts(connection, verdicts)
        before, opened = _renew_requests(connection, versions, settings, now)
        dropped = drop_reviews(connection, settings.outbox_path / "review", now)
        after = read_requests(connection)
    for request in opened:
        log(f"retraining of {request.model_name} at {request.site_id} is requested: {request.sentence}")
    tracked = track_requests(settings.outbox_path / "retraining", log)
    statuses = Counter(one.status for one in after)
    return Report(
        verdicts=len(verdicts),
        requests=len(after),
        open_requests=statuses["open"],
        opened=len(opened),
        closed=statuses["closed"] - sum(one.status == "closed" for one in before),
        dropped_reviews=dropped,
        tracked=tracked,
    )


def _renew_requests(
    connection: duckdb.DuckDBPyConnection, versions: dict[Model, list[Version]], settings: Settings, now: datetime
) -> tuple[list[Request], list[Request]]:
    """Close answered requests and open new ones. Returns the earlier requests and the new ones."""
    before = read_requests(connection)
    outbox = HandoverFolder(settings.outbox_path / "retraining")
    outbox.recover({one.request_id for one in before})
    first_seen = {
        (*model, version.model_version): version.first_event_at
        for model, known in versions.items()
        for version in known
    }
    requests = close_answered(before, first_seen)
    if requests != before:
        write_requests(connection, requests)
    opened: list[Request] = []
    for model, known in versions.items():
        # The clock of a camera may be ahead, so its events' instants do not count beyond now.
        as_of = min(max(version.last_event_at for version in known), now)
        running = running_version(known, now)
        found = list(_findings(connection, model, known, running, as_of, requests, settings))
        for request in open_new(requests, model, running.model_version, as_of, found, now):
            requests = [*requests, request]
            opened.append(request)
            _put(connection, outbox, request, requests)
    return before, opened


def running_version(versions: list[Version], now: datetime) -> Version:
    """The version with most events on the newest UTC day that has begun. A roll-out runs several versions at once."""
    dates = {day.event_date for version in versions for day in version.days}
    newest = max((each for each in dates if each <= now.astimezone(UTC).date()), default=max(dates))

    def spoken(version: Version) -> int:
        return sum(day.event_count for day in version.days if day.event_date == newest)

    return max(versions, key=lambda version: (spoken(version), version.model_version))


def _findings(
    connection: duckdb.DuckDBPyConnection,
    model: Model,
    known: list[Version],
    running: Version,
    as_of: datetime,
    requests: list[Request],
    settings: Settings,
) -> Iterator[Finding]:
    """The findings of each enabled trigger."""
    if settings.retraining_floor_days:
        yield triggers.confidence_below_floor(running.days, settings.confidence_floor, settings.retraining_floor_days)
    if settings.retraining_mix_shift:
        baseline = read_baselines(connection, [model[0]])[model[0]].by_type
        yield triggers.event_mix_moved(running.days, baseline, settings.retraining_mix_shift)
    if settings.retraining_accuracy:
        reviewed = read_reviewed(connection, model, running.model_version)
        yield triggers.accuracy_too_low(reviewed, settings.retraining_accuracy, settings.retraining_least_labels)
    if settings.retraining_every_days:
        asked = [one.as_of for one in requests if (one.site_id, one.model_name, one.reason) == (*model, "schedule")]
        newest_began = max(version.first_event_at for version in known)
        since = max([newest_began, *asked]).astimezone(UTC).date()
        yield triggers.is_due(as_of.astimezone(UTC).date(), since, settings.retraining_every_days)


def renew_training_sets(settings: Settings) -> None:
    """Rebuild the training sets that are still in the outbox from the remaining records and labels.

    A set that a trainer has collected cannot be changed. The caller must hold the lock and have built the models.

    Raises:
        WarehouseError: the warehouse or the outbox cannot be written; the next call completes the work.
    """
    folder = settings.outbox_path / "retraining"
    if not any(folder.glob(f"*/{MANIFEST}")):
        return
    outbox = HandoverFolder(folder)
    with open_warehouse(settings) as connection:
        make_tables(connection)
        requests = read_requests(connection)
        outbox.recover({one.request_id for one in requests})
        for request in requests:
            if (folder / request.request_id / MANIFEST).exists():
                outbox.replace(request.request_id, partial(_write_request, connection, request))


def _put(
    connection: duckdb.DuckDBPyConnection, outbox: HandoverFolder, request: Request, requests: list[Request]
) -> None:
    """Write the request's folder and row. After a kill, the next batch completes both."""

    outbox.put(
        request.request_id,
        partial(_write_request, connection, request),
        lambda: write_requests(connection, requests),
    )


def _write_request(connection: duckdb.DuckDBPyConnection, request: Request, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    path = folder / TRAINING_SET
    training_set = write_training_set(connection, path, request.site_id, request.model_name, request.as_of)
    described = {
        "format": 1,
        **{name: _plain(value) for name, value in asdict(request).items() if not name.startswith("closed")},
        "training_set": {
            "file": TRAINING_SET,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "days": DAYS,
            "holdout_share": HOLDOUT_SHARE,
            **asdict(training_set),
        },
    }
    text = json.dumps(described, indent=1, ensure_ascii=False, sort_keys=True)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


def _plain(value: object) -> object:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value
