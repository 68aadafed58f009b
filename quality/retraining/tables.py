"""Stores the marts `model_verdicts` and `retraining_requests`, and reads the aggregates for this package's decisions.

Writes only these two tables in the warehouse's schema `marts`. The caller must hold the lock.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

import duckdb
import pyarrow as pa

from ingestion.contract.events import EVENT_TYPES
from ingestion.warehouse import transaction
from quality.retraining.requests import Model, Request
from quality.retraining.triggers import Day, Reviewed
from quality.retraining.verdicts import CameraDay, Metric, Verdict, sentence

TABLES = {
    "model_verdicts": """
        site_id varchar not null, model_name varchar not null, earlier_version varchar not null,
        later_version varchar not null, metric varchar not null, earlier_value double, later_value double,
        difference double, difference_low double, difference_high double, earlier_sample bigint not null,
        later_sample bigint not null, sample_unit varchar not null, verdict varchar not null, more_needed bigint,
        sentence varchar not null
    """,
    "retraining_requests": """
        site_id varchar not null, request_id varchar not null, model_name varchar not null,
        model_version varchar not null, reason varchar not null, status varchar not null,
        as_of timestamptz not null, opened_at timestamptz not null, closed_at timestamptz, closed_by_version varchar,
        observed double, threshold double not null, sample_size bigint not null, sentence varchar not null,
        manifest varchar not null
    """,
}
# Events of a camera's day whose mean confidence says something.
SMALLEST_CAMERA_DAY = 20
# The grain of each mart, for the catalogue.
DESCRIPTIONS = {
    "model_verdicts": "One row per site, model, pair of versions that followed each other, and metric.",
    "retraining_requests": "One row per request to train a site's model again, open or closed.",
}
# The declaration of each, with the keys of publishing/declarations.py.
META: dict[str, dict[str, Any]] = {
    "model_verdicts": {"about": "camera", "scope": "whole", "day": None, "names": []},
    "retraining_requests": {"about": "camera", "scope": "whole", "day": None, "names": []},
}


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a site's model: its first and last event, its days, and its cameras' days by metric."""

    model_version: str
    first_event_at: datetime
    last_event_at: datetime
    days: Sequence[Day]
    camera_days: Mapping[Metric, Sequence[CameraDay]]


def make_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the tables if they do not exist."""
    connection.execute("create schema if not exists marts")
    for name, columns in TABLES.items():
        connection.execute(f"create table if not exists marts.{name} ({columns})")


def read_versions(connection: duckdb.DuckDBPyConnection) -> dict[Model, list[Version]]:
    """The versions of every site's models, in order of their first event."""
    days: dict[tuple[str, str, str], list[Day]] = {}
    counts = ", ".join(f"cast(sum({kind}_events) as bigint)" for kind in EVENT_TYPES)
    for site, model, version, day, mean, *of_types in connection.execute(
        f"""
        select
            site_id, model_name, model_version, event_date,
            -- added up in the order of the cameras, so that the last bit is the same in every run
            list_sum(list(mean_confidence * event_count order by camera_id)) / sum(event_count), {counts}
        from marts.model_days group by all order by all
        """
    ).fetchall():
        of_day = Day(day, mean, dict(zip(EVENT_TYPES, of_types, strict=True)))
        days.setdefault((site, model, version), []).append(of_day)
    versions: dict[Model, list[Version]] = {}
    of_cameras = _read_camera_days(connection)
    for site, model, version, first, last in connection.execute(
        """
        select
            site_id, model_name, model_version, first_event_at, last_event_at
        from marts.model_comparison
        order by site_id, model_name, first_event_at, model_version
        """
    ).fetchall():
        own = {metric: found.get((site, model, version), ()) for metric, found in of_cameras.items()}
        known = Version(version, first, last, days[site, model, version], own)
        versions.setdefault((site, model), []).append(known)
    return versions


def _read_camera_days(
    connection: duckdb.DuckDBPyConnection,
) -> dict[Metric, dict[tuple[str, str, str], list[CameraDay]]]:
    """Every version's camera-days by metric: labelled events of the review sample, and mean confidences."""
    selects: dict[Metric, str] = {
        "accuracy": """
            select
                site_id, model_name, model_version, camera_id, event_date,
                count(*) filter (where is_correct), count(*)
            from handover.int_labelled_events where is_sampled and not is_disputed group by all order by all
        """,
        "confidence": f"""
            select site_id, model_name, model_version, camera_id, event_date, mean_confidence, 1
            from marts.model_days where event_count >= {SMALLEST_CAMERA_DAY} order by all
        """,
    }
    found: dict[Metric, dict[tuple[str, str, str], list[CameraDay]]] = {}
    for metric, select in selects.items():
        found[metric] = {}
        for site, model, version, *day in connection.execute(select).fetchall():
            found[metric].setdefault((site, model, version), []).append(CameraDay(*day))
    return found


def read_reviewed(connection: duckdb.DuckDBPyConnection, model: Model, version: str) -> Reviewed:
    """A version's labels of the review sample, and the counts of events that two of the site's reviewers labelled."""
    names = {"site_id": model[0], "model_name": model[1], "version": version}
    recent = connection.execute(
        """
        select labelled_events, correct_events
        from handover.int_recent_accuracy
        where site_id = $site_id and model_name = $model_name and model_version = $version
        """,
        names,
    ).fetchone()
    days = connection.execute(
        """
        select event_date, count(*) filter (where is_correct) / count(*)
        from handover.int_labelled_events
        where site_id = $site_id and model_name = $model_name and model_version = $version
            and is_sampled and not is_disputed
        group by event_date order by event_date
        """,
        names,
    ).fetchall()
    shares = [math.nan] * ((days[-1][0] - days[0][0]).days + 1 if days else 0)
    for day, share in days:
        shares[(day - days[0][0]).days] = share
    double = connection.execute(
        """
        select count(distinct event_key), count(distinct event_key) filter (where is_unanimous)
        from handover.int_labelled_events
        where site_id = $site_id and is_sampled and reviewer_count = 2
        """,
        {"site_id": model[0]},
    ).fetchone()
    labelled, correct = recent or (0, 0)
    shared, unanimous = double or (0, 0)
    return Reviewed(labelled, correct, shares, shared, unanimous)


def write_verdicts(connection: duckdb.DuckDBPyConnection, verdicts: Sequence[tuple[Model, str, str, Verdict]]) -> None:
    """Replace all verdicts, which depend only on the current marts."""
    rows = []
    for (site, model), earlier, later, verdict in verdicts:
        row = {field.name: getattr(verdict, field.name) for field in fields(verdict)}
        names = {"site_id": site, "model_name": model, "earlier_version": earlier, "later_version": later}
        told = {"verdict": row.pop("answer"), "sentence": sentence(verdict, earlier, later)}
        rows.append({**names, **row, **told, "sample_unit": verdict.sample_unit})
    _replace(connection, "model_verdicts", rows)


def read_requests(connection: duckdb.DuckDBPyConnection) -> list[Request]:
    """All requests, open and closed."""
    names = [field.name for field in fields(Request)]
    rows = connection.execute(
        f"select {', '.join(names)} from marts.retraining_requests order by request_id"
    ).fetchall()
    return [Request(*row) for row in rows]


def write_requests(connection: duckdb.DuckDBPyConnection, requests: Sequence[Request]) -> None:
    """Replace the stored requests by these, which include all earlier ones."""
    rows = [
        {**asdict(one), "status": one.status, "manifest": f"outbox/retraining/{one.request_id}/manifest.json"}
        for one in requests
    ]
    _replace(connection, "retraining_requests", rows)


def _replace(connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[dict[str, object]]) -> None:
    schema = connection.sql(f"from marts.{table} limit 0").to_arrow_table().schema
    columns = {field.name: pa.array([row[field.name] for row in rows], field.type) for field in schema}
    connection.register("new_rows", pa.table(columns))
    with transaction(connection):
        connection.execute(f"delete from marts.{table}")
        connection.execute(f"insert into marts.{table} by name from new_rows")
    connection.unregister("new_rows")
