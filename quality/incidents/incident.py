"""Derives incidents from the days' results and merges them with known incidents. Pure functions.

An incident is one metric of one cell from its first evidence until it is over. The same results always give the same
incidents: an incident is recognised by the days that it covers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial

import numpy as np
from numpy.typing import NDArray

from quality.checks.results import Cell, DayResult, Severity
from quality.drift.grouping import group_evidence
from quality.drift.hysteresis import CLOSE_AFTER, GONE_AFTER, transitions

Flags = NDArray[np.bool_]
Places = NDArray[np.intp]

# An open incident ends if its cell has not been judged for this many days, because the camera is gone.
FORGOTTEN_DAYS = 30
# Metrics for which cameras of one model version that change on one day share an incident.
GROUPED = {"confidence_floor", "confidence_drift", "event_mix_drift"}
# The report page that lists incidents.
PAGE = "models/"


@dataclass(frozen=True, slots=True)
class Incident:
    """A row of the mart `incidents`; `closed_at` is None while it is open. Instants are times of the judged data."""

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

    @property
    def status(self) -> str:
        """open or closed."""
        return "open" if self.closed_at is None else "closed"


@dataclass(frozen=True, slots=True)
class Spell:
    """A stretch of evidence of one metric and cell; `closed_on` is the day that ended it, None while it lasts."""

    metric: str
    cell: Cell
    first: date
    last: date
    closed_on: date | None
    severity: Severity
    sentence: str
    closing_sentence: str | None


def find_spells(
    results: Iterable[DayResult], version_of: Mapping[tuple[Cell, date], Cell], days: Sequence[date]
) -> list[Spell]:
    """The spells within `days` (without gaps). `version_of` returns the model version of a camera's day."""
    place = {day: number for number, day in enumerate(days)}
    by_metric: dict[str, dict[Cell, list[DayResult]]] = {}
    for result in results:
        if result.evidence_date in place:
            by_metric.setdefault(result.metric, {}).setdefault(result.cell, []).append(result)
    spells: list[Spell] = []
    for metric, of_cell in sorted(by_metric.items()):
        cells = sorted(of_cell, key=str)
        evidence, judged, strong = (np.zeros((len(cells), len(days)), dtype=bool) for _ in range(3))
        groups = np.full((len(cells), len(days)), -1, dtype=np.int64)
        names: dict[Cell, int] = {}
        results_at: dict[tuple[int, int], DayResult] = {}
        for row, cell in enumerate(cells):
            for result in of_cell[cell]:
                at = place[result.evidence_date]
                judged[row, at] |= result.is_judged
                evidence[row, at] |= result.is_evidence
                strong[row, at] |= result.is_strong and result.is_evidence
                if result.is_judged and ((row, at) not in results_at or result.is_evidence):
                    results_at[row, at] = result
                group = _group_of(metric, result, version_of)
                if group is not None:
                    groups[row, at] = names.setdefault(group, len(names))
        of_single, of_group, group_judged = group_evidence(evidence, judged, groups)
        single = transitions(of_single, judged, strong=strong)
        for row, cell in enumerate(cells):
            spells += _spells_of_row(
                metric,
                cell,
                (single.opened[row], single.is_open[row], of_single[row]),
                days,
                partial(_result_at, results_at, row),
            )
        if names:
            together = transitions(of_group, group_judged)
            for group, number in names.items():
                members = [np.flatnonzero((groups[:, at] == number) & evidence[:, at]) for at in range(len(days))]
                spells += _spells_of_row(
                    metric,
                    group,
                    (together.opened[number], together.is_open[number], of_group[number]),
                    days,
                    partial(_first_of, results_at, members),
                    partial(_count_of, members),
                )
    return spells


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
            if incident.incident_id in now:  # it matched before, and late events have moved the days around it
                matched.add(incident.incident_id)
                continue
        elif incident.closed_at is None:
            incident = replace(
                incident,
                last_evidence_date=max(incident.last_evidence_date, spell.last),
                closed_at=judged_at if spell.closed_on else None,
                closing_sentence=spell.closing_sentence,
                sentence=spell.sentence,
            )
        matched.add(incident.incident_id)
        now[incident.incident_id] = incident
    for incident in list(now.values()):
        if incident.closed_at is None and incident.incident_id not in matched:
            now[incident.incident_id] = _end_unmatched(incident, judged_at, days)
    return sorted(now.values(), key=lambda each: (each.cell.site_id, each.first_evidence_date, each.incident_id))


def name_incident(metric: str, cell: Cell, first: date) -> str:
    """The id of an incident, which depends only on metric, cell and first day."""
    named = "\0".join((metric, *(getattr(cell, part) for part in Cell.__slots__), first.isoformat()))
    return hashlib.sha256(named.encode()).hexdigest()[:16]


def _group_of(metric: str, result: DayResult, version_of: Mapping[tuple[Cell, date], Cell]) -> Cell | None:
    if metric not in GROUPED or not result.cell.camera_id:
        return None
    if result.cell.model_version:
        return replace(result.cell, camera_id="")
    return version_of.get((result.cell, result.evidence_date))


def _result_at(results_at: Mapping[tuple[int, int], DayResult], row: int, at: int) -> DayResult | None:
    return results_at.get((row, at))


def _count_of(members: Sequence[Places], at: int) -> int:
    return len(members[at])


def _first_of(results_at: Mapping[tuple[int, int], DayResult], members: Sequence[Places], at: int) -> DayResult | None:
    found = [results_at[row, at] for row in members[at] if (row, at) in results_at]
    return min(found, key=lambda result: result.p_value if result.p_value is not None else 1.0) if found else None


def _spells_of_row(
    metric: str,
    cell: Cell,
    flags: tuple[Flags, Flags, Flags],
    days: Sequence[date],
    result_at: Callable[[int], DayResult | None],
    count_at: Callable[[int], int] | None = None,
) -> list[Spell]:
    """The spells in one row of flags, with sentences of the newest evidence and of the day that ended each."""
    opened, is_open, evidence = flags
    spells = []
    for start in np.flatnonzero(opened):
        closed = next((at for at in range(start, len(days)) if not is_open[at]), None)
        end = len(days) if closed is None else closed
        begin = start
        while begin > 0 and not is_open[begin - 1] and start - begin < 5:  # the days that led to the opening
            begin -= 1
        seen = [at for at in range(begin, end) if evidence[at]]
        result = result_at(seen[-1])
        assert result is not None  # a day of evidence is a day with a result
        sentence = result.sentence
        if count_at is not None:
            name = cell.name
            sentence = (
                f"{name[0].upper()}{name[1:]}: {count_at(seen[-1])} cameras changed together; for one, {sentence}"
            )
        ended = None
        if closed is not None:
            last = result_at(closed)
            if last is None:
                ended = f"Over: nothing that could be judged for {GONE_AFTER} days."
            else:
                ended = f"Over after {CLOSE_AFTER} days without evidence." + (
                    f" {last.sentence}" if not last.is_evidence else ""
                )
        spells.append(
            Spell(
                metric=metric,
                cell=cell,
                first=days[seen[0]],
                last=days[seen[-1]],
                closed_on=None if closed is None else days[closed],
                severity=result.severity,
                sentence=sentence,
                closing_sentence=ended,
            )
        )
    return spells


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
    )


def _end_unmatched(incident: Incident, judged_at: datetime, days: Sequence[date]) -> Incident:
    """End an open incident without evidence in the judged days: late events withdrew it, or its cell is gone."""
    if incident.first_evidence_date >= days[0]:
        sentence = "Withdrawn: after late events, the days it was based on are no longer evidence."
    elif days[-1] - incident.last_evidence_date >= timedelta(days=FORGOTTEN_DAYS):
        sentence = f"Over: no evidence for {FORGOTTEN_DAYS} days."
    else:
        return incident
    return replace(incident, closed_at=judged_at, closing_sentence=sentence)
