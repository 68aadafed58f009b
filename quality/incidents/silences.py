"""Incidents of silent sites. The current state opens and closes them; they need no days of evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from quality.checks.freshness import GONE_AFTER, METRIC, changed_sites
from quality.checks.results import DayResult
from quality.incidents.incident import Incident, name_incident
from quality.incidents.walk import Ending


def merge_silences(
    known: Sequence[Incident], results: Sequence[DayResult], last_event_at: Mapping[str, datetime], now: datetime
) -> list[Incident]:
    """The freshness incidents, including closed ones. An incident begins on the day of the site's newest event."""
    opened = {incident.cell.site_id: incident for incident in known if incident.closed_at is None}
    found = [incident for incident in known if incident.closed_at is not None]
    result_of = {result.cell.site_id: result for result in results}
    changed = changed_sites(results, set(opened))
    for site, incident in opened.items():
        result = result_of.get(site)
        if site in changed:
            gone = f"Over: nothing was heard for {GONE_AFTER // timedelta(days=1)} days; it counts as closed down."
            said = f"Heard again. {result.sentence}" if result else gone
            ending: Ending = "recovered" if result else "gone"
            found.append(replace(incident, closed_at=now, closing_sentence=said, ending=ending))
        elif result is not None and result.is_evidence:
            found.append(replace(incident, last_evidence_date=result.evidence_date, sentence=result.sentence))
        else:
            found.append(incident)
    for site in sorted(changed - set(opened)):
        result, since = result_of[site], _utc_date(last_event_at[site])
        found.append(
            Incident(
                incident_id=name_incident(METRIC, result.cell, since),
                metric=METRIC,
                cell=result.cell,
                opened_at=now,
                closed_at=None,
                first_evidence_date=since,
                last_evidence_date=result.evidence_date,
                severity=result.severity,
                sentence=result.sentence,
            )
        )
    return found


def _utc_date(instant: datetime) -> date:
    return instant.astimezone(UTC).date()
