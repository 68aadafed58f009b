"""Walks through the days and decides which incidents open, continue and end, and which references are frozen. Pure.

The state after a day is a function of the results of all days up to it. So every walk over the same days produces the
same incidents. An incident ends as recovered (back at the level from before it) or accepted as the new normal. If a
camera cannot be judged, its incident stays open and ends as gone after some days.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Literal

from quality.checks.results import Cell, DayResult, Severity
from quality.drift.grouping import SMALLEST_CAMERAS, SMALLEST_PART
from quality.drift.hysteresis import CLOSE_AFTER, GONE_AFTER, OPEN_AFTER, OPEN_AMONG
from quality.incidents.normal import Normal, Rules

Ending = Literal["recovered", "accepted", "gone", "withdrawn"]

# Metrics that are compared with a camera's own previous weeks. Only their changes can be accepted.
REFERENCED = frozenset({"confidence_drift", "event_mix_drift", "volume", "silence", "lateness"})
# Metrics whose reference freezes while an incident is open. Metrics with a limit use the reference only for the
# variance between days. Days of two levels would make the variance so large that a fault looked like chance.
FROZEN = REFERENCED | {"confidence_floor", "event_mix_baseline"}
# Metrics for which cameras of one model version that change on the same day share an incident.
GROUPED = frozenset({"confidence_floor", "confidence_drift", "event_mix_drift"})
# An incident of a referenced metric ends if its camera is not judged for this many days. The reference stays frozen.
FORGOTTEN_DAYS = 30
# Past faults are kept for as long as a reference can include their days.
_REACH = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Spell:
    """A period of evidence of one metric and cell. `closed_on` is the day that ended it; None while it lasts."""

    metric: str
    cell: Cell
    first: date
    last: date
    opened_on: date
    closed_on: date | None
    severity: Severity
    sentence: str
    closing_sentence: str | None = None
    ending: Ending | None = None
    accepted_by: str | None = None


@dataclass(slots=True)
class CellState:
    """The state of one metric of one cell after a day.

    `recent` are the newest judged days, each with whether it was evidence. `clean` is the number of days back at the
    usual level since the newest evidence, `unheard` the number of days since the cell was judged. `frozen_on` is the
    first day of the fault that froze the reference. `faults` are the first and last days of past faults. Days before
    `normal_from` belong to another level. `members` are the cameras of a model version's incident; None for all other
    cells.
    """

    recent: list[tuple[date, bool]] = field(default_factory=list)
    clean: int = 0
    unheard: int = 0
    last_evidence: date | None = None
    frozen_on: date | None = None
    faults: list[tuple[date, date]] = field(default_factory=list)
    normal_from: date | None = None
    open: Spell | None = None
    members: set[Cell] | None = None

    @property
    def is_plain(self) -> bool:
        """Whether the state behaves like a new one, so that it need not be stored."""
        return not (self.open or self.frozen_on or self.faults or self.normal_from) and not any(
            bad for _, bad in self.recent
        )


States = dict[tuple[str, Cell], CellState]


@dataclass(frozen=True, slots=True)
class _Seen:
    """A cell's results of one metric and day combined. `result` is the one whose sentence is reported."""

    result: DayResult
    is_evidence: bool
    is_strong: bool
    is_back: bool


@dataclass(frozen=True, slots=True)
class _Group:
    """The judged cameras of one model version on one day, and the cameras among them with evidence."""

    judged: list[Cell]
    bad: list[Cell]

    @property
    def is_judged(self) -> bool:
        return len(self.judged) >= SMALLEST_CAMERAS

    @property
    def is_evidence(self) -> bool:
        return len(self.bad) >= SMALLEST_CAMERAS and len(self.bad) >= SMALLEST_PART * len(self.judged)


def step(
    states: States, day: date, results: Sequence[DayResult], version_of: Mapping[Cell, Cell], rules: Rules
) -> list[Spell]:
    """Update the states with one day's results. Returns the incidents that ended on the day.

    `version_of` maps each camera to the model version of most of its events on the day.
    """
    ended: list[Spell] = []
    by_metric: dict[str, dict[Cell, _Seen]] = {}
    for result in results:
        if result.is_judged:
            of_cell = by_metric.setdefault(result.metric, {})
            of_cell[result.cell] = _joined(of_cell.get(result.cell), result)
    known: dict[str, set[Cell]] = {}
    for metric, cell in states:
        known.setdefault(metric, set()).add(cell)
    for metric in sorted({*by_metric, *known}):
        seen = by_metric.get(metric, {})
        cells = {cell: states.get((metric, cell)) or CellState() for cell in {*seen, *known.get(metric, ())}}
        ended += _step_metric(cells, metric, day, seen, version_of, rules)
        for cell, state in cells.items():
            if state.is_plain:
                states.pop((metric, cell), None)
            else:
                states[metric, cell] = state
    return ended


def find_spells(
    results: Iterable[DayResult], version_of: Mapping[tuple[Cell, date], Cell], days: Sequence[date]
) -> list[Spell]:
    """The incidents of a walk over `days` (without gaps) from an empty state. No change is accepted."""
    of_day: dict[date, list[DayResult]] = {day: [] for day in days}
    for result in results:
        if result.evidence_date in of_day:
            of_day[result.evidence_date].append(result)
    states: States = {}
    spells: list[Spell] = []
    for day in days:
        versions = {cell: version for (cell, at), version in version_of.items() if at == day}
        spells += step(states, day, of_day[day], versions, Rules())
    return [*spells, *open_spells(states)]


def _step_metric(
    cells: dict[Cell, CellState],
    metric: str,
    day: date,
    seen: Mapping[Cell, _Seen],
    version_of: Mapping[Cell, Cell],
    rules: Rules,
) -> list[Spell]:
    ended: list[Spell] = []
    groups = _groups(metric, seen, version_of)
    covered = {cell for group in groups.values() if group.is_evidence for cell in group.bad}
    for name, group in groups.items():
        if group.is_evidence and name not in cells:
            cells[name] = CellState(members=set())
    ordered = sorted(cells.items(), key=lambda item: str(item[0]))
    for cell, state in ordered:
        if state.members is None:
            version = cell if cell.model_version else version_of.get(cell)
            ended += _step_cell(state, metric, cell, day, seen.get(cell), cell in covered, version, rules)
    for cell, state in ordered:
        if state.members is not None:
            ended += _step_group(cells, metric, cell, day, seen, groups.get(cell), rules)
    _thaw(cells, day)
    return ended


def open_spells(states: States) -> list[Spell]:
    """The incidents that are open after the newest day."""
    return [state.open for _, state in sorted(states.items(), key=str) if state.open is not None]


def _joined(before: _Seen | None, result: DayResult) -> _Seen:
    """A day's checks of one metric combined. If several have evidence, the last one's sentence is reported."""
    if before is None:
        is_back = result.is_back and not result.is_evidence
        return _Seen(result, result.is_evidence, result.is_evidence and result.is_strong, is_back)
    return _Seen(
        result if result.is_evidence else before.result,
        before.is_evidence or result.is_evidence,
        before.is_strong or (result.is_evidence and result.is_strong),
        before.is_back and result.is_back and not result.is_evidence,
    )


def _groups(metric: str, seen: Mapping[Cell, _Seen], version_of: Mapping[Cell, Cell]) -> dict[Cell, _Group]:
    found: dict[Cell, _Group] = {}
    if metric not in GROUPED:
        return found
    for cell in sorted(seen, key=str):
        if not cell.camera_id:
            continue
        of_version = Cell(cell.site_id, "", cell.model_name, cell.model_version)
        name = of_version if cell.model_version else version_of.get(cell)
        if name is not None:
            group = found.setdefault(name, _Group([], []))
            group.judged.append(cell)
            if seen[cell].is_evidence:
                group.bad.append(cell)
    return found


def _step_cell(
    state: CellState,
    metric: str,
    cell: Cell,
    day: date,
    seen: _Seen | None,
    is_covered: bool,
    version: Cell | None,
    rules: Rules,
) -> list[Spell]:
    """One day of a single cell. Evidence covered by its version's incident opens no incident of the cell."""
    is_evidence = seen is not None and seen.is_evidence
    is_back = seen is not None and seen.is_back
    _count(state, day, is_judged=seen is not None, is_bad=is_evidence and not is_covered, is_back=is_back)
    if is_evidence:
        state.clean, state.last_evidence = 0, day
    if seen is not None and is_evidence:
        if state.open is not None:
            state.open = _told(state.open, day, seen.result.sentence)
        elif not is_covered and (seen.is_strong or _bad_days(state) >= OPEN_AFTER):
            state.open = _opened(state, metric, cell, day, seen.result.severity, seen.result.sentence)
            if metric in FROZEN:
                state.frozen_on = min(state.frozen_on or date.max, state.open.first)
    if state.open is None:
        return []
    normal = None
    if metric in REFERENCED:
        normal = rules.accepted(metric, cell, version, state.open.first, day, state.normal_from)
    if normal is not None:
        ended = [_accepted(state, day, normal)]
        state.frozen_on, state.normal_from = None, normal.from_date
        return ended
    gone_after = FORGOTTEN_DAYS if metric in REFERENCED else GONE_AFTER
    if state.clean >= CLOSE_AFTER:
        said = seen.result.sentence if seen is not None else ""
        return [_recovered(state, metric, day, said)]
    return [_gone(state, day, gone_after)] if state.unheard >= gone_after else []


def _step_group(
    cells: dict[Cell, CellState],
    metric: str,
    cell: Cell,
    day: date,
    seen: Mapping[Cell, _Seen],
    group: _Group | None,
    rules: Rules,
) -> list[Spell]:
    """One day of a version's incident. While it is open, its cameras' results count, whatever version they run."""
    state = cells[cell]
    assert state.members is not None
    is_evidence = group is not None and group.is_evidence
    is_judged = is_back = group is not None and group.is_judged
    if state.open is not None:
        judged = [member for member in state.members if member in seen]
        bad = [member for member in judged if seen[member].is_evidence]
        is_judged = is_judged or bool(judged)
        is_evidence = is_evidence or (bool(bad) and len(bad) >= SMALLEST_PART * len(judged))
        is_back = sum(not seen[member].is_back for member in judged) < SMALLEST_PART * max(len(judged), 1)
    _count(state, day, is_judged=is_judged, is_bad=is_evidence, is_back=is_back)
    if is_evidence:
        state.clean, state.last_evidence = 0, day
    if group is not None and group.is_evidence:
        state.members |= set(group.bad)
        speaker = min((seen[each].result for each in group.bad), key=_by_p_value)
        said = f"{len(group.bad)} cameras changed together; for one, {speaker.sentence}"
        said = f"{cell.name[0].upper()}{cell.name[1:]}: {said}"
        if state.open is None and _bad_days(state) >= OPEN_AFTER:
            state.open = _opened(state, metric, cell, day, speaker.severity, said)
        elif state.open is not None:
            state.open = _told(state.open, day, said)
    elif is_evidence and state.open is not None:
        state.open = _told(state.open, day, state.open.sentence)
    if state.open is not None:
        return _end_group(cells, state, metric, cell, day, rules)
    if _bad_days(state) == 0:
        state.members = set()
    return []


def _end_group(
    cells: Mapping[Cell, CellState], state: CellState, metric: str, cell: Cell, day: date, rules: Rules
) -> list[Spell]:
    """End a version's incident if it is over. While it lasts, the references of its cameras are frozen."""
    assert state.open is not None
    assert state.members is not None
    normal = None
    if metric in REFERENCED:
        normal = rules.accepted(metric, cell, cell, state.open.first, day, state.normal_from)
    if metric in FROZEN:
        for member in state.members & cells.keys():
            frozen_on = min(cells[member].frozen_on or date.max, state.open.first)
            cells[member].frozen_on = frozen_on if normal is None else None
            cells[member].normal_from = cells[member].normal_from if normal is None else normal.from_date
    gone_after = FORGOTTEN_DAYS if metric in REFERENCED else GONE_AFTER
    if normal is not None:
        ended = [_accepted(state, day, normal)]
        state.normal_from = normal.from_date
    elif state.clean >= CLOSE_AFTER:
        ended = [_recovered(state, metric, day, "")]
    elif state.unheard >= gone_after:
        ended = [_gone(state, day, gone_after)]
    else:
        return []
    state.members = set()
    return ended


def _by_p_value(result: DayResult) -> float:
    return 1.0 if result.p_value is None else result.p_value


def _count(state: CellState, day: date, *, is_judged: bool, is_bad: bool, is_back: bool) -> None:
    if is_judged:
        state.recent = [*state.recent, (day, is_bad)][-OPEN_AMONG:]
    state.clean += is_judged and is_back
    state.unheard = 0 if is_judged else state.unheard + 1


def _bad_days(state: CellState) -> int:
    return sum(bad for _, bad in state.recent)


def _opened(state: CellState, metric: str, cell: Cell, day: date, severity: Severity, sentence: str) -> Spell:
    first = min(at for at, bad in state.recent if bad)
    return Spell(metric, cell, first, day, day, None, severity, sentence)


def _told(spell: Spell, day: date, sentence: str) -> Spell:
    return replace(spell, last=day, sentence=sentence)


def _ended(state: CellState, day: date, ending: Ending, sentence: str, accepted_by: str | None = None) -> Spell:
    assert state.open is not None
    spell = replace(state.open, closed_on=day, closing_sentence=sentence, ending=ending, accepted_by=accepted_by)
    state.open, state.recent = None, []
    return spell


def _recovered(state: CellState, metric: str, day: date, said: str) -> Spell:
    back = "back at the level from before it" if metric in REFERENCED else "no evidence"
    return _ended(state, day, "recovered", f"Recovered: {back} for {CLOSE_AFTER} days. {said}".rstrip())


def _accepted(state: CellState, day: date, normal: Normal) -> Spell:
    sentence = f"Accepted as the new normal by {normal.by} from {normal.from_date} on: {normal.reason}"
    return _ended(state, day, "accepted", sentence, normal.by)


def _gone(state: CellState, day: date, days: int) -> Spell:
    return _ended(state, day, "gone", f"Ended: nothing that could be judged for {days} days.")


def _thaw(cells: Mapping[Cell, CellState], day: date) -> None:
    """Unfreeze the references of faults that are over, and exclude the faults' days from them."""
    held = {member for state in cells.values() if state.open is not None and state.members for member in state.members}
    for cell, state in cells.items():
        since = state.frozen_on
        if since is not None and state.open is None and cell not in held and state.clean >= CLOSE_AFTER:
            state.faults.append((since, max(since, state.last_evidence or since)))
            state.frozen_on = None
        reach = (state.frozen_on or day) - _REACH
        state.faults = [fault for fault in state.faults if fault[1] >= reach]
        if state.normal_from is not None and state.normal_from < reach:
            state.normal_from = None
