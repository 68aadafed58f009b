"""Runs erasures, retention and purges, and finishes before a batch what an earlier process left unfinished.

`privacy` decides what is deleted and what counts as found. This module runs it, rebuilds marts and report, and removes
every older copy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from ingestion.bucket import open_landing_bucket
from ingestion.errors import ReportError, WarehouseError
from ingestion.identity.identity import settle_identity
from ingestion.identity.journal import (
    PendingErasure,
    begin_erasure,
    end_purge,
    is_purge_owed,
    pending_erasures,
    record,
    renamed_people,
)
from ingestion.landing.clock import require_true_clock
from ingestion.settings import Settings
from ingestion.stored_tables import rewrite_file
from ingestion.warehouse import open_warehouse
from orchestration.copies import remove_dead_copies
from orchestration.dagster_home.dagster_records import forget_in_records
from orchestration.dbt.build_state import is_current
from orchestration.dbt.runner import build_models
from orchestration.declared_marts import write_declarations
from orchestration.publish import publish_build
from privacy.erasure import ErasureReport, erase, person_of
from privacy.kept_files import People, forget_people, remove_copies
from privacy.retention import RetentionReport, apply_retention
from privacy.search import SearchReport, search_everywhere, traces_of
from privacy.traces import Traces
from publishing.versions import keep_published_version_only
from quality.retraining.step import renew_training_sets

Log = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Erased:
    """A finished erasure, and the findings of the search after it."""

    deleted: ErasureReport
    proof: SearchReport
    traces: Traces


def finish_deletions(settings: Settings, log: Log) -> None:
    """Finish pending erasures and purges, and convert ids as the settings require. The caller holds the lock."""
    remove_dead_copies(settings, log)
    if not settings.warehouse_path.exists():
        return
    for pending in pending_erasures(settings):
        log("finishing an erasure that an earlier process began")
        erased = _finish(settings, pending, log)
        if erased.proof.found:
            log(f"traces are left in {', '.join(sorted(erased.proof.found))}; make erase-worker says more")
    with open_warehouse(settings, log) as connection:
        settle_identity(connection, settings)
    if is_purge_owed(settings):
        log("removing older copies of what the warehouse held")
        purge(settings, log)


def retain(settings: Settings, now: datetime, log: Log, is_clock_right: bool = False) -> RetentionReport:
    """Delete what the settings no longer keep. The caller holds the lock.

    Raises:
        ClockError: `now` is implausible, and nobody has vouched for it; nothing was deleted.
    """
    if not is_clock_right:
        require_true_clock(settings, open_landing_bucket(settings), now)
    finish_deletions(settings, log)
    if not settings.warehouse_path.exists():
        return RetentionReport()
    if settings.retention_event_days is not None:
        with open_warehouse(settings) as connection:
            is_computed = is_current(connection)
        if not is_computed:
            build_models(settings)  # old events must be computed before they are deleted
    with open_warehouse(settings) as connection:
        write_declarations(connection)  # a build of an earlier release left none
    report = apply_retention(settings, now, log)
    if is_purge_owed(settings):
        purge(settings, log)
    if report != RetentionReport():
        record(settings, now, report.sentence())
    return report


def erase_worker(
    settings: Settings, site_id: str, worker_id: str, log: Log = lambda _: None, also: Sequence[str] = ()
) -> Erased:
    """Delete everything about one worker of one site, and search for what is left. The caller holds the lock.

    `also`: places, as the search lists them, whose mentions of the worker are deleted too; `ALL_PLACES` for all.

    If the process is killed, the next batch, or the same call again, finishes the erasure.
    """
    return _finish(settings, begin_erasure(settings, site_id, worker_id, also), log)


def search_worker(settings: Settings, site_id: str, worker_id: str) -> SearchReport:
    """The places in which a worker of a site is found now. Changes nothing. The caller holds the lock."""
    return _search(settings, PendingErasure.unsaved(site_id, worker_id))[1]


def _finish(settings: Settings, pending: PendingErasure, log: Log) -> Erased:
    deleted = erase(settings, pending, log)
    purge(settings, log)
    traces, proof = _search(settings, pending, forget_in_records)
    rows = sum(deleted.rows.values())
    record(
        settings,
        datetime.now(UTC),
        f"erased one worker: {deleted.bucket.records} records of {deleted.bucket.objects} objects, {rows} rows; "
        f"the search found {sum(proof.found.values())} and {sum(proof.mentions.values())} mentions, "
        f"{len(proof.unread)} files or objects could not be read",
    )
    pending.end()
    return Erased(deleted, proof, traces)


def _search(
    settings: Settings, pending: PendingErasure, before: Callable[[Settings, Traces], object] = lambda *_: None
) -> tuple[Traces, SearchReport]:
    with open_warehouse(settings) as connection:
        person = person_of(connection, settings, pending)
        traces = traces_of(connection, person, pending.names)
    before(settings, traces)
    own_entry = [pending.path] if pending.path else []  # the only place that names the worker until the end
    return traces, search_everywhere(settings, open_landing_bucket(settings), traces, leave_out=own_entry)


def purge(settings: Settings, log: Log) -> None:
    """Rebuild marts and report, then remove every older copy: versions, site files, the warehouse's free blocks.

    If the process is killed, the next batch does it.
    """
    build_models(settings)
    publish_build(settings, anew=True)
    keep_published_version_only(settings)
    _purge_site(settings, log)
    remove_copies(settings)
    renew_training_sets(settings)
    pairs, names = renamed_people(settings)
    if pairs or names:
        people = People(pairs, names)
        forget_people(settings, people)
        forget_in_records(settings, people)
    try:
        rewrite_file(settings.warehouse_path)
    except Exception as error:
        reason = " ".join(str(error).split())[:300]
        raise WarehouseError(f"The warehouse {settings.warehouse_path} cannot be rewritten: {reason}") from error
    end_purge(settings)


def _purge_site(settings: Settings, log: Log) -> None:
    # Imported here: a plant without a report does not need it.
    from reports.site import publish_site, remove_data, remove_previous_data

    if not settings.site_path.exists():
        return
    try:
        publish_site(settings)
        remove_previous_data(settings)
    except ReportError as error:
        remove_data(settings)
        log(f"the report shows nothing until the next batch: {error}")
