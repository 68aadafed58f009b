"""Stores the marts `check_results` and `incidents` in the warehouse's schema `marts`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

import duckdb
import pyarrow as pa

from quality.checks import freshness
from quality.checks.counts import LANDING_METRICS
from quality.checks.results import Cell, DayResult
from quality.incidents.incident import PAGE, Incident
from quality.mart_columns import TABLES

# Days after which results, and closed incidents, are deleted.
RESULT_DAYS = 90
INCIDENT_DAYS = 400


def make_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Create both tables, and add the columns that an older release did not have."""
    connection.execute("create schema if not exists marts")
    for name, columns in TABLES.items():
        connection.execute(f"create table if not exists marts.{name} ({columns})")
    for column in ("ending", "accepted_by"):  # a warehouse of 0.1.0 has incidents without them
        connection.execute(f"alter table marts.incidents add column if not exists {column} varchar")


def read_incidents(connection: duckdb.DuckDBPyConnection) -> list[Incident]:
    """All stored incidents."""
    rows = connection.execute(
        """
        select incident_id, metric, site_id, camera_id, model_name, model_version, opened_at, closed_at,
            first_evidence_date, last_evidence_date, severity, sentence, closing_sentence, ending, accepted_by
        from marts.incidents order by incident_id
        """
    ).fetchall()
    return [Incident(incident_id, metric, Cell(*rest[:4]), *rest[4:]) for incident_id, metric, *rest in rows]


def replace_results(
    connection: duckdb.DuckDBPyConnection,
    results: Iterable[DayResult],
    judged_at: datetime,
    days: Sequence[date],
    *,
    landing: bool,
) -> None:
    """Replace the results of the judged `days`: UTC days of landing if `landing`, else UTC days of events.

    Also deletes results older than `RESULT_DAYS`.
    """
    if not days:
        return
    connection.execute(
        f"""
        delete from marts.check_results
        where list_contains($metrics, metric) = {str(landing).lower()} and metric <> $moment
            and (evidence_date between $first and $last or evidence_date < $oldest)
        """,
        {
            "metrics": sorted(LANDING_METRICS),
            "moment": freshness.METRIC,
            "first": days[0],
            "last": days[-1],
            "oldest": days[-1] - timedelta(days=RESULT_DAYS),
        },
    )
    _insert_results(connection, results, judged_at)


def replace_freshness(connection: duckdb.DuckDBPyConnection, results: Iterable[DayResult], now: datetime) -> None:
    """Replace the results of the sites' freshness with the current ones."""
    connection.execute("delete from marts.check_results where metric = ?", [freshness.METRIC])
    _insert_results(connection, results, now)


def replace_incidents(
    connection: duckdb.DuckDBPyConnection, incidents: Sequence[Incident], judged_at: datetime
) -> None:
    """Replace all incidents, and leave out those that closed at least `INCIDENT_DAYS` before `judged_at`."""
    kept = [
        each for each in incidents if each.closed_at is None or judged_at - each.closed_at < timedelta(INCIDENT_DAYS)
    ]
    connection.execute("delete from marts.incidents")
    connection.register("new_incidents", _arrow("incidents", [_incident_row(each) for each in kept], connection))
    connection.execute("insert into marts.incidents by name from new_incidents")
    connection.unregister("new_incidents")


def _insert_results(connection: duckdb.DuckDBPyConnection, results: Iterable[DayResult], judged_at: datetime) -> None:
    rows = [_result_row(result, judged_at) for result in results]
    connection.register("new_results", _arrow("check_results", rows, connection))
    connection.execute("insert into marts.check_results by name from new_results")
    connection.unregister("new_results")


def _result_row(result: DayResult, judged_at: datetime) -> dict[str, object]:
    return {
        **_cell_columns(result.cell),
        "evidence_date": result.evidence_date,
        "check_name": result.check_name,
        "metric": result.metric,
        "status": result.status,
        "severity": result.severity,
        "observed": result.observed,
        "threshold": result.threshold,
        "sample_size": result.sample_size,
        "effect": result.effect,
        "p_value": result.p_value,
        "sentence": result.sentence,
        "judged_at": judged_at,
    }


def _incident_row(incident: Incident) -> dict[str, object]:
    return {
        **_cell_columns(incident.cell),
        "incident_id": incident.incident_id,
        "metric": incident.metric,
        "opened_at": incident.opened_at,
        "closed_at": incident.closed_at,
        "first_evidence_date": incident.first_evidence_date,
        "last_evidence_date": incident.last_evidence_date,
        "severity": incident.severity,
        "status": incident.status,
        "sentence": incident.sentence,
        "closing_sentence": incident.closing_sentence,
        "page": PAGE,
        "ending": incident.ending,
        "accepted_by": incident.accepted_by,
    }


def _cell_columns(cell: Cell) -> dict[str, object]:
    return {
        "site_id": cell.site_id,
        "cell": cell.name,
        "camera_id": cell.camera_id,
        "model_name": cell.model_name,
        "model_version": cell.model_version,
    }


def _arrow(table: str, rows: list[dict[str, object]], connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """The rows with the table's column types, even if a column is empty or there are no rows."""
    schema = connection.cursor().sql(f"from marts.{table} limit 0").to_arrow_table().schema
    columns = {field.name: pa.array([row[field.name] for row in rows], field.type) for field in schema}
    return pa.table(columns)
