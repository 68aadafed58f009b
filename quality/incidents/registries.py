"""Incidents of registry files, mappings and the sources that wait for one.

An incident is open while landing refuses the file or leaves the source's objects; it needs no days of evidence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import duckdb

from quality.checks.results import Cell
from quality.incidents.incident import Incident, name_incident

# Each file has its own metric, such as `registry_workers` for registry/workers.csv and `registry_mappings/axis` for
# registry/mappings/axis.sql, and each source that waits: `registry_source=axis`.
_METRIC = "registry_"
_MAPPING, _SOURCE = f"{_METRIC}mappings/", f"{_METRIC}source="
_PLANT = Cell("*")


@dataclass(frozen=True, slots=True)
class Refused:
    """A refused file or a source that waits: the instant since which it is refused, and the full message."""

    refused_at: datetime
    sentence: str


def is_registry_metric(metric: str) -> bool:
    """Whether incidents of a metric are about a registry file or a source."""
    return metric.startswith(_METRIC)


def read_refused(connection: duckdb.DuckDBPyConnection) -> dict[str, Refused]:
    """The files that the newest landing refused and the sources whose objects it left, by metric."""
    files = connection.execute("select file, refused_at, sentence from raw.registry_refusals").fetchall()
    sources = connection.execute("select source, stopped_at, sentence from raw.stopped_sources").fetchall()
    return {
        **{_METRIC + file.rpartition(".")[0]: Refused(at, sentence) for file, at, sentence in files},
        **{_SOURCE + source: Refused(at, sentence) for source, at, sentence in sources},
    }


def merge_refused(known: Sequence[Incident], refused: Mapping[str, Refused], now: datetime) -> list[Incident]:
    """The current incidents about registries, including closed ones."""
    found = [incident for incident in known if incident.closed_at is not None]
    today = now.astimezone(UTC).date()
    opened = {incident.metric: incident for incident in known if incident.closed_at is None}
    for metric, incident in opened.items():
        if metric in refused:
            found.append(replace(incident, last_evidence_date=today, sentence=refused[metric].sentence))
        else:
            said = _over(metric)
            found.append(replace(incident, closed_at=now, closing_sentence=said, ending="recovered"))
    for metric in sorted(refused.keys() - opened.keys()):
        since = refused[metric].refused_at.astimezone(UTC)
        found.append(
            Incident(
                # A file can be refused twice on one day.
                incident_id=name_incident(f"{metric} {since.isoformat()}", _PLANT, since.date()),
                metric=metric,
                cell=_PLANT,
                opened_at=now,
                closed_at=None,
                first_evidence_date=since.date(),
                last_evidence_date=today,
                severity="warning",
                sentence=refused[metric].sentence,
            )
        )
    return found


def _over(metric: str) -> str:
    if metric.startswith(_SOURCE):
        return f"No object of {metric.removeprefix(_METRIC)} waits any more."
    ending = "sql" if metric.startswith(_MAPPING) else "csv"
    file = f"registry/{metric.removeprefix(_METRIC)}.{ending}"
    return f"{file} is no longer refused: its current content is in force."


def has_changed(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether judging now would open, close or reword an incident about a registry.

    The warehouse must have been judged before.
    """
    rows = connection.execute("select metric, sentence from marts.incidents where closed_at is null").fetchall()
    opened = {metric: sentence for metric, sentence in rows if is_registry_metric(metric)}
    return opened != {metric: one.sentence for metric, one in read_refused(connection).items()}
