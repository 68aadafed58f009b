"""The walk through days, compared with a naive reading of the rules, and the reasons why an incident ends."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from quality.checks.results import Cell, DayResult
from quality.incidents import memory
from quality.incidents.normal import AcceptedRow, LabelledDay, Rules, VersionHistory
from quality.incidents.walk import FORGOTTEN_DAYS, Spell, States, open_spells, step

CELL = Cell("north", "cam-1")
VERSION = Cell("north", "", "eye", "2")
START = date(2026, 1, 1)
KINDS = "bBn.-"  # evidence, immediate evidence, near, back, not judged


def day(number: int) -> date:
    return START + timedelta(days=number)


def result(at: int, kind: str, cell: Cell = CELL, metric: str = "volume") -> DayResult:
    status = "warn" if kind in "bB" else "insufficient_data" if kind == "-" else "pass"
    return DayResult(
        day(at), "check", metric, cell, status, "warning", 1, 1, 1, 1, 1, f"{at}.", kind == "B", kind == "."
    )


def walk(
    kinds: str, rules: Rules | None = None, metric: str = "volume", states: States | None = None, since: int = 0
) -> list[Spell]:
    states = {} if states is None else states
    spells: list[Spell] = []
    for at, kind in enumerate(kinds, start=since):
        spells += step(states, day(at), [result(at, kind, metric=metric)], {CELL: VERSION}, rules or Rules())
    return [*spells, *open_spells(states)]


def naively(kinds: str) -> list[tuple[int, int, int | None]]:
    """First evidence, last evidence and end of each incident, determined at each day from the whole text of days."""
    found: list[tuple[int, int, int | None]] = []
    begin = at = 0  # `begin`: the first day that may count for a new incident
    while at < len(kinds):
        judged = [place for place in range(begin, at + 1) if kinds[place] != "-"][-5:]
        bad = [place for place in judged if kinds[place] in "bB"]
        if kinds[at] not in "bB" or (len(bad) < 3 and kinds[at] != "B"):
            at += 1
            continue
        end = None
        for later in range(at, len(kinds)):
            newest = max(place for place in range(later + 1) if kinds[place] in "bB")
            heard = max(place for place in range(later + 1) if kinds[place] != "-")
            if kinds[newest : later + 1].count(".") >= 3 or later - heard >= FORGOTTEN_DAYS:
                end = later
                break
        stop = len(kinds) if end is None else end
        found.append((bad[0], max(place for place in range(stop) if kinds[place] in "bB"), end))
        begin = at = stop + 1
    return found


@given(st.lists(st.sampled_from([*KINDS, "bbb", "...", "-" * 31]), max_size=40).map("".join))
def test_incidents_are_those_of_a_naive_reading(kinds: str) -> None:
    found = sorted(
        ((one.first - START).days, (one.last - START).days, (one.closed_on - START).days if one.closed_on else None)
        for one in walk(kinds)
    )
    assert found == naively(kinds)


@given(st.lists(st.sampled_from([*KINDS, "bbb", "..."]), max_size=30).map("".join), st.integers(0, 30))
def test_a_state_that_is_written_and_read_again_goes_on_as_it_would_have(kinds: str, at: int) -> None:
    states: States = {}
    first = [one for one in walk(kinds[:at], states=states) if one.closed_on]
    again: States = memory.read_states(memory.write_states(states))
    assert again == states
    assert [*first, *walk(kinds[at:], states=again, since=min(at, len(kinds)))] == walk(kinds)


def test_a_camera_just_short_of_evidence_has_not_recovered() -> None:
    [spell] = walk("bbb" + "n" * 60)
    assert spell.closed_on is None


def test_a_row_accepts_the_change_of_its_own_time_only() -> None:
    def accepted(from_date: date, camera: str = "cam-1") -> list[str | None]:
        row = AcceptedRow("north", camera, "volume", from_date, "plant manager", "Half the line.")
        return [one.ending for one in walk("." * 40 + "b" * 20, Rules([row]))]

    # A change that continues after it is a second change, which the row does not accept.
    assert accepted(day(38)) == ["accepted", None]
    assert accepted(day(55), camera="") == ["accepted", None]
    assert accepted(day(9)) == [None]  # a change of another time
    assert accepted(day(70)) == [None]  # not yet
    assert accepted(day(38), camera="cam-2") == [None]


def test_only_labels_in_a_row_make_the_level_of_a_new_version_normal() -> None:
    def ending(correct: list[int], began: int = 9) -> str | None:
        days = [LabelledDay(day(10 + number), 10, count) for number, count in enumerate(correct)]
        history = {("north", "eye", "2"): VersionHistory(day(began), days)}
        rules = Rules([], history, clean_days=5)
        return walk("." * 10 + "b" * 20, rules, "confidence_drift")[0].ending

    assert ending([9, 10, 9, 10, 10]) == "accepted"
    assert ending([9, 10, 9, 10, 8, 10, 10, 9]) is None
    assert ending([6] * 20) is None
    assert ending([]) is None
    assert ending([10] * 20, began=-90) is None  # this version is not new, so something else has changed


def test_cameras_of_a_version_stay_frozen_until_their_own_level_is_back_whatever_version_they_run() -> None:
    cells = [Cell("north", f"cam-{number}") for number in range(4)]
    states: States = {}
    spells: list[Spell] = []
    for at in range(30):
        version = Cell("north", "", "eye", "2" if at < 15 else "3")
        kind = "b" if at < 25 else "."
        results = [result(at, kind, cell, "confidence_drift") for cell in cells]
        spells += step(states, day(at), results, dict.fromkeys(cells, version), Rules())
        frozen = [states["confidence_drift", cell].frozen_on for cell in cells if ("confidence_drift", cell) in states]
        assert frozen == [day(0)] * 4 if 2 <= at < 27 else True
    assert {(one.cell.model_version, one.ending, one.closed_on) for one in spells} == {
        ("2", "recovered", day(27)),
        ("3", "recovered", day(27)),
    }
    assert states["confidence_drift", cells[0]].faults == [(day(0), day(24))]
