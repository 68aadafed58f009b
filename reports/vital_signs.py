"""`/health` and `/metrics` of the report's server, for a supervisor and for Prometheus (text exposition format 0.0.4).

Totals only, none about a person: whoever may ask the report's server may read them. Reads what is published.
"""

from __future__ import annotations

import json
import platform
import shutil
from functools import lru_cache
from http import HTTPStatus
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from ingestion.settings import ReportSettings
from publishing.version_names import published_at
from reports.responses import MISSING, Answer

HEALTH, METRICS = "/health", "/metrics"
PATHS = (HEALTH, METRICS)
_STATUS = "status.json"  # which batches that stop write beside the published marts and into the site


def answer_of(settings: ReportSettings, path: str) -> Answer:
    """The answer to one of `PATHS`: health is 503 where batches are stopped or nothing is published."""
    if path == METRICS:
        return _text(HTTPStatus.OK, metrics(settings), "text/plain; version=0.0.4; charset=utf-8")
    if not settings.published_path.exists():
        return _text(HTTPStatus.SERVICE_UNAVAILABLE, "Nothing is published yet.\n")
    if why := _stopped(settings):
        return _text(HTTPStatus.SERVICE_UNAVAILABLE, f"No batch has finished lately: {why}\n")
    return _text(HTTPStatus.OK, "Batches go on.\n")


def metrics(settings: ReportSettings) -> str:
    """All figures as Prometheus reads them."""
    disk = shutil.disk_usage(settings.data_dir)
    lines = [
        _metric("batches_stopped", "Whether no batch has finished since one failed.", int(bool(_stopped(settings)))),
        _metric("disk_free_bytes", "Free bytes on the disk of the data folder.", disk.free),
        _metric("disk_size_bytes", "All bytes of the disk of the data folder.", disk.total),
        _metric("info", "Versions.", 1, f'{{floorhouse="{_our_version()}",python="{platform.python_version()}"}}'),
    ]
    published = published_at(settings)
    if published is not None:
        seconds = f"{published.timestamp():.3f}"
        lines.append(_metric("published_timestamp_seconds", "When the figures were published.", seconds))
        counts = _counts(settings.published_path.resolve())
        lines += [_metric(name, what, count) for name, what, count in counts]
    return "".join(lines)


@lru_cache(maxsize=4)
def _counts(published: Path) -> tuple[tuple[str, str, int], ...]:
    """What a version of the marts counts; a version never changes."""
    import duckdb

    queries = {
        "incidents": ("incidents_open", "Incidents that are open.", "count(*) filter (where status = 'open')"),
        "landed_objects": ("records_rejected", "Records of all objects that were rejected.", "sum(rejected)"),
    }
    found = []
    with duckdb.connect() as connection:
        for mart, (name, what, counted) in queries.items():
            path = published / f"{mart}.parquet"
            if path.exists():
                row = connection.execute(f"select {counted} from read_parquet($path)", {"path": str(path)}).fetchone()
                if row and row[0] is not None:  # counts that could tell of single persons are not published
                    found.append((name, what, int(row[0])))
    return tuple(found)


def _metric(name: str, what: str, value: float | str, labels: str = "") -> str:
    full = f"floorhouse_{name}"
    return f"# HELP {full} {what}\n# TYPE {full} gauge\n{full}{labels} {value}\n"


def _stopped(settings: ReportSettings) -> str:
    """Why no batch has finished since the last failure; empty where one has."""
    try:
        status = json.loads((settings.data_dir / _STATUS).read_bytes())
        is_stopped = status["stopped_at"] is not None and status["resumed_at"] is None
        return (str(status["sentence"]) or "a batch failed") if is_stopped else ""
    except (OSError, ValueError, TypeError, KeyError):
        return ""


def _our_version() -> str:
    try:
        return version("floorhouse")
    except PackageNotFoundError:
        return "unknown"


def _text(status: HTTPStatus, content: str, kind: str = "text/plain; charset=utf-8") -> Answer:
    raw = content.encode()
    headers = {**MISSING.headers, "Content-Type": kind}  # as strict as any other answer, and never kept
    return Answer(status, headers, content=raw, length=len(raw))
