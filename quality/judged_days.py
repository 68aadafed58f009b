"""Judges the events' days in order. Earlier incidents decide which references of a day are frozen.

Reads aggregates a month at a time, calls the rules and the walk, and collects the states for checkpoints. The caller
holds the warehouse's lock and stores the returned results.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import duckdb
import numpy as np

from ingestion.settings import Settings
from quality.checks import counts
from quality.checks.drift import day_results
from quality.checks.results import Cell, DayResult
from quality.drift.baselines import Baseline
from quality.drift.panels import HISTORY_DAYS, JUDGED_DAYS, Panels, read_panels, read_span
from quality.drift.reference import GAP_DAYS, REFERENCE_DAYS, WINDOW_DAYS, Held
from quality.incidents import memory
from quality.incidents.normal import AcceptedRow, LabelledDay, Rules, VersionHistory
from quality.incidents.walk import FROZEN, Spell, States, open_spells, step

# Days that one call of the rules judges. If an incident opens or ends among them, the remaining days are judged again.
_BLOCK_DAYS = 10
# A reference lies within this time before the first day of its fault.
_REFERENCE_REACH = timedelta(days=REFERENCE_DAYS + GAP_DAYS + WINDOW_DAYS - 1)

_HeldDays = dict[str, dict[Cell, tuple[date | None, list[tuple[date, date]]]]]


@dataclass(slots=True)
class JudgedDays:
    """The walked days from `first` to `last`: the results of the newest days, and the incidents of all days.

    `states`, `digests` and `rules` are the checkpoints for `quality.incidents.memory`.
    """

    first: date
    last: date
    results: list[DayResult] = field(default_factory=list)
    spells: list[Spell] = field(default_factory=list)
    states: dict[date, str] = field(default_factory=dict)
    digests: dict[date, str] = field(default_factory=dict)
    rules: str = ""

    def remember(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Store the checkpoints, so that the next batch need not walk these days again."""
        memory.remember(connection, self.digests, self.rules, self.states)


def judge_days(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    baselines: Mapping[str, Baseline],
    kept_days: int,
) -> JudgedDays | None:
    """Judge every day after the newest valid checkpoint, at least the newest 30 days, which late events change most.

    `kept_days` is the number of newest days whose results are returned. Returns None if no day is complete yet.
    """
    span = read_span(connection)
    if span is None:
        return None
    memory.make_tables(connection)
    rules = _read_rules(connection, settings)
    rules_digest = memory.rules_digest(
        settings.confidence_floor,
        rules.clean_days,
        rules.accuracy,
        sorted((site, str(b)) for site, b in baselines.items()),
    )
    digests = memory.read_digests(connection, span.oldest, span.newest)
    settled = span.newest - timedelta(days=JUDGED_DAYS)
    start, states = memory.restart(connection, digests, rules_digest, span.oldest, settled)
    judged = JudgedDays(start, span.newest, digests=digests, rules=rules_digest)
    heard = sorted(digests)

    def walk(day: date, results: list[DayResult], versions: Mapping[Cell, Cell]) -> None:
        judged.spells += step(states, day, results, versions, rules)
        if day > span.newest - timedelta(days=kept_days):
            judged.results += results
        is_kept = day.day == 1 and settled - timedelta(days=memory.KEPT_DAYS) <= day < settled
        if day == settled or is_kept:
            judged.states[day] = memory.write_states(states)

    while start <= span.newest:
        silent = _silent_days(heard, start)
        if silent > JUDGED_DAYS:  # a season without work, or a clock that stopped in the year 2000
            for number in range(silent):
                walk(start + timedelta(days=number), [], {})
            start += timedelta(days=silent)
            continue
        end = min(start + timedelta(days=JUDGED_DAYS - 1), span.newest)
        panels = read_panels(connection, span, (start, end), _frozen_cameras(states))
        counted: dict[date, list[DayResult]] = {}
        for result in counts.day_count_results(connection, start, end):
            counted.setdefault(result.evidence_date, []).append(result)
        at = panels.first_judged
        while at < len(panels.days):
            # One call of the rules judges several days, as long as no reference is frozen or rolls again between them.
            held, until = _held(panels, states), min(at + _BLOCK_DAYS, len(panels.days))
            of_day = _results_by_day(panels, slice(at, until), states, held, settings.confidence_floor, baselines)
            while at < until and _held(panels, states) == held:
                day = panels.days[at]
                walk(day, [*of_day.get(day, ()), *counted.get(day, ())], _versions(panels, at))
                at += 1
        start = end + timedelta(days=1)
    judged.spells += open_spells(states)
    return judged


def _silent_days(heard: Sequence[date], start: date) -> int:
    """How many days from `start` on have no results. `heard` are the days with data, in order.

    A shift date may be one day after the UTC date of its events, or two days before.
    """
    place = bisect.bisect_left(heard, start - timedelta(days=1))
    return (heard[place] - start).days - 2 if place < len(heard) else 0


def told_at(connection: duckdb.DuckDBPyConnection, judged_at: datetime) -> Callable[[date], datetime]:
    """A function that returns the first landing after a UTC day was over, or `judged_at` if there is none.

    At this landing, a batch could first report the day.
    """
    rows = connection.execute(
        "select min(landed_at) from landed_objects group by date_trunc('day', landed_at at time zone 'UTC')"
    ).fetchall()
    landings = sorted(at.astimezone(UTC) for (at,) in rows)
    days = [at.date() for at in landings]

    def first_after(day: date) -> datetime:
        place = bisect.bisect_right(days, day)
        return landings[place] if place < len(days) else judged_at

    return first_after


def _results_by_day(
    panels: Panels,
    judged: slice,
    states: States,
    held: _HeldDays,
    floor: float,
    baselines: Mapping[str, Baseline],
) -> dict[date, list[DayResult]]:
    """The drift results of some days. Their panels begin with the first day of the oldest reference."""
    since = min(_frozen_cameras(states).values(), default=date.max)
    first = max(0, min(judged.start - HISTORY_DAYS, (since - panels.days[0]).days))
    of_days = panels.only(first, judged)
    found: dict[date, list[DayResult]] = {}
    for result in day_results(of_days, floor, baselines, _as_arrays(of_days, held)):
        found.setdefault(result.evidence_date, []).append(result)
    return found


def _held(panels: Panels, states: States) -> _HeldDays:
    """By metric and cell: the first day of the fault that froze the reference, and the periods to exclude from it."""
    found: _HeldDays = {}
    for (metric, cell), state in states.items():
        stretches = [*state.faults]
        if state.normal_from is not None:
            stretches.append((panels.days[0], state.normal_from - timedelta(days=1)))
        if metric in FROZEN and (state.frozen_on is not None or stretches):
            found.setdefault(metric, {})[cell] = (state.frozen_on, stretches)
    return found


def _as_arrays(panels: Panels, held: _HeldDays) -> dict[str, Held]:
    oldest, total = panels.days[0], len(panels.days)
    cameras, models, sites = (
        [Cell(*each) for each in part] for part in (panels.cameras, panels.models, [(site,) for site in panels.sites])
    )
    found: dict[str, Held] = {}
    for metric, of_cell in held.items():
        rows = {"confidence_floor": models, "event_mix_baseline": sites}.get(metric, cameras)
        place = {cell: row for row, cell in enumerate(rows)}
        found[metric] = Held(np.full(len(rows), -1, dtype=np.int64), np.zeros((len(rows), total), dtype=bool))
        for cell, (frozen_on, stretches) in of_cell.items():
            if cell not in place:
                continue
            row = place[cell]
            if frozen_on is not None:
                # not below 0, which would mean a rolling reference: a reference before all data is empty
                found[metric].ends[row] = max(0, (frozen_on - oldest).days - GAP_DAYS - WINDOW_DAYS + 1)
            for first, last in stretches:
                found[metric].barred[row, max(0, (first - oldest).days) : max(0, (last - oldest).days + 1)] = True
    return found


def _frozen_cameras(states: States) -> dict[tuple[str, str], date]:
    """The first day of each camera's reference that is frozen, or will be if recent evidence opens an incident."""
    found: dict[tuple[str, str], date] = {}
    for (metric, cell), state in states.items():
        if metric not in FROZEN:
            continue
        days = [day for day, bad in state.recent if bad]
        if state.frozen_on is not None:
            days.append(state.frozen_on)
        if state.open is not None:
            days.append(state.open.first)
        if not days:
            continue
        for each in (cell, *(state.members or ())):
            key = (each.site_id, each.camera_id)
            found[key] = min(found.get(key, date.max), min(days) - _REFERENCE_REACH)
    return found


def _versions(panels: Panels, at: int) -> dict[Cell, Cell]:
    """The model version of most events of each camera on a day."""
    found: dict[Cell, Cell] = {}
    for row, camera in enumerate(panels.cameras):
        if panels.version[row, at] >= 0:
            site, name, version = panels.versions[panels.version[row, at]]
            found[Cell(*camera)] = Cell(site, "", name, version)
    return found


def _read_rules(connection: duckdb.DuckDBPyConnection, settings: Settings) -> Rules:
    """The inputs that can accept a change: the rows of accepted.csv in force, and the versions with their labels."""
    rows = connection.execute(
        "select site_id, camera_id, metric, from_date, who, reason from raw.accepted order by all"
    ).fetchall()
    days: dict[tuple[str, str, str], list[LabelledDay]] = {}
    for site, name, version, day, labelled, correct in connection.execute(
        """
        select site_id, model_name, model_version, event_date, count(*), count(*) filter (where is_correct)
        from handover.int_labelled_events where is_sampled and not is_disputed group by all order by all
        """
    ).fetchall():
        days.setdefault((site, name, version), []).append(LabelledDay(day, labelled, correct))
    began = connection.execute(
        "select site_id, model_name, model_version, min(event_date) from model_days group by all"
    ).fetchall()
    versions = {
        (site, name, version): VersionHistory(at, days.get((site, name, version), ()))
        for site, name, version, at in began
    }
    return Rules(
        [AcceptedRow(*row) for row in rows],
        versions,
        settings.normal_after_labelled_days,
        settings.retraining_accuracy,
    )
