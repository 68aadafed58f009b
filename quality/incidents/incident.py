"""Incidents as rows of the mart: merges spells of evidence with the known incidents. Pure functions.

An incident is about one metric of one cell, from its first evidence until it is over. The days that it covers identify
it, so the same results always produce the same incidents.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from quality.checks.results import Cell, Severity
from quality.incidents.walk import FORGOTTEN_DAYS, Ending, Spell

# The report page that lists incidents.
PAGE = "models/"


@dataclass(frozen=True, slots=True)
class Incident:
    """A row of the mart `incidents`. `closed_at` is None while it is open. Instants are times of the judged data."""

    incident_id: str
    metric: str
    cell: Cell
    opened_at: datetime
    closed_at: datetime | None
    first_evidence_date: date
    last_evidence_date: date
    severity: Severity
    sentence: str
    closing_sentence: str | None = None
    ending: Ending | None = None
    accepted_by: str | None = None

    @property
    def status(self) -> str:
        """open or closed."""
        return "open" if self.closed_at is None else "closed"


def merge(
    known: Sequence[Incident], spells: Sequence[Spell], judged_at: datetime, days: Sequence[date]
) -> list[Incident]:
    """The current incidents: known ones that continue or end, and new ones. A known incident is never dropped."""
    now = {incident.incident_id: incident for incident in known}
    matched: set[str] = set()
    for spell in sorted(spells, key=lambda spell: (spell.metric, str(spell.cell), spell.first)):
        incident = _same(now.values(), spell, matched)
        if incident is None:
            incident = _new(spell, judged_at)
            if incident.incident_id in now:  # another spell continued it: late events have changed its days
                matched.add(incident.incident_id)
                continue
        elif incident.closed_at is None:
            incident = replace(
                incident,
                last_evidence_date=max(incident.last_evidence_date, spell.last),
                closed_at=judged_at if spell.closed_on else None,
                closing_sentence=spell.closing_sentence,
                sentence=spell.sentence,
                ending=spell.ending,
            )
        matched.add(incident.incident_id)
        now[incident.incident_id] = incident
    for incident in list(now.values()):
        if incident.closed_at is None and incident.incident_id not in matched:
            now[incident.incident_id] = _end_unmatched(incident, judged_at, days)
    return sorted(now.values(), key=lambda each: (each.cell.site_id, each.first_evidence_date, each.incident_id))


def settle(
    known: Sequence[Incident],
    spells: Sequence[Spell],
    span: tuple[date, date],
    judged_at: datetime,
    told_at: Callable[[date], datetime],
) -> list[Incident]:
    """The current incidents after a walk from the first to the last day of `span`. The walk decides within the span.

    `told_at` returns the first landing after a day was over, when a batch of that time would have reported it.
    Incidents that ended before the span stay. Known incidents in the span that the walk does not find are withdrawn. An
    incident keeps its first id and its first instants.
    """
    first_day, last_day = span
    now = {incident.incident_id: incident for incident in known}
    matched: set[str] = set()
    unknown: list[Spell] = []
    for spell in sorted(spells, key=lambda spell: (spell.metric, str(spell.cell), spell.first)):
        before = now.get(name_incident(spell.metric, spell.cell, spell.first))
        if before is None:
            unknown.append(spell)
        else:
            matched.add(before.incident_id)
            now[before.incident_id] = _continued(before, spell, last_day, judged_at)
    for spell in unknown:
        before = _same(now.values(), spell, matched)
        if before is not None:
            current = _continued(before, spell, last_day, judged_at)
        else:
            closed_at = told_at(spell.closed_on) if spell.closed_on else None
            current = replace(_new(spell, told_at(spell.opened_on)), closed_at=closed_at)
            current = replace(current, sentence=_lasting(spell, last_day))
        matched.add(current.incident_id)
        now[current.incident_id] = current
    for incident in known:
        if incident.incident_id not in matched and (
            incident.first_evidence_date >= first_day or incident.closed_at is None
        ):
            now[incident.incident_id] = _end_unmatched(incident, judged_at, [first_day, last_day])
    return sorted(now.values(), key=lambda each: (each.cell.site_id, each.first_evidence_date, each.incident_id))


def name_incident(metric: str, cell: Cell, first: date) -> str:
    """The id of an incident. It depends only on metric, cell and first day."""
    named = "\0".join((metric, *(getattr(cell, part) for part in Cell.__slots__), first.isoformat()))
    return hashlib.sha256(named.encode()).hexdigest()[:16]


def _continued(incident: Incident, spell: Spell, last_day: date, judged_at: datetime) -> Incident:
    """A known incident updated from its spell. A closed spell closes it now, unless it was closed before."""
    return replace(
        incident,
        first_evidence_date=spell.first,
        last_evidence_date=spell.last,
        closed_at=None if spell.closed_on is None else incident.closed_at or judged_at,
        severity=spell.severity,
        sentence=_lasting(spell, last_day),
        closing_sentence=spell.closing_sentence,
        ending=spell.ending,
        accepted_by=spell.accepted_by,
    )


def _lasting(spell: Spell, last_day: date) -> str:
    """The sentence of the newest evidence. For an open incident it also says how long it has lasted."""
    if spell.closed_on is not None:
        return spell.sentence
    days = (last_day - spell.first).days + 1
    return f"{spell.sentence} Still open: {days} day{'s' * (days != 1)} since {spell.first}."


def _same(known: Iterable[Incident], spell: Spell, matched: set[str]) -> Incident | None:
    """The known incident that a spell continues: same metric and cell, with overlapping or adjacent days."""
    for incident in known:
        if incident.metric != spell.metric or incident.cell != spell.cell or incident.incident_id in matched:
            continue
        end = spell.closed_on or date.max
        known_end = date.max if incident.closed_at is None else incident.last_evidence_date
        if spell.first <= known_end and incident.first_evidence_date <= end:
            return incident
    return None


def _new(spell: Spell, judged_at: datetime) -> Incident:
    return Incident(
        incident_id=name_incident(spell.metric, spell.cell, spell.first),
        metric=spell.metric,
        cell=spell.cell,
        opened_at=judged_at,
        closed_at=judged_at if spell.closed_on else None,
        first_evidence_date=spell.first,
        last_evidence_date=spell.last,
        severity=spell.severity,
        sentence=spell.sentence,
        closing_sentence=spell.closing_sentence,
        ending=spell.ending,
        accepted_by=spell.accepted_by,
    )


def _end_unmatched(incident: Incident, judged_at: datetime, days: Sequence[date]) -> Incident:
    """End an open incident that no spell continues: late events removed its evidence, or its cell is gone."""
    if incident.first_evidence_date >= days[0]:
        return _withdrawn(incident, judged_at)
    if days[-1] - incident.last_evidence_date >= timedelta(days=FORGOTTEN_DAYS):
        sentence = f"Ended: no evidence for {FORGOTTEN_DAYS} days."
        return replace(incident, closed_at=judged_at, closing_sentence=sentence, ending="gone")
    return incident


def _withdrawn(incident: Incident, judged_at: datetime) -> Incident:
    sentence = "Withdrawn: after late events, the days it was based on are no longer evidence."
    return replace(
        incident,
        closed_at=incident.closed_at or judged_at,
        closing_sentence=sentence,
        ending="withdrawn",
        accepted_by=None,
    )
