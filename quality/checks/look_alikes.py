"""Finds unregistered ids that look like registered ones: `w1` for `W1`, `007` or `7.0` for `7`, a Cyrillic letter.

Two spellings of one badge count as two people in every figure. Only the plant knows which one is right.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from unicodedata import combining, normalize

import duckdb

from quality.checks.check_names import LOOK_ALIKES
from quality.checks.results import Cell, DayResult, count_result

METRIC = "look_alike_ids"
_NAMED = 5  # ids named in a sentence; further ones are counted

# Unregistered ids of the newest 30 shift dates, so that ids corrected earlier raise no alarm.
_NEWEST = "with newest as (select max(shift_date) - 30 as shift_date from shift_windows)"
_SEEN = f"""
    {_NEWEST}
    select distinct site_id, 'worker' as kind, worker_id as id from worker_shifts
    where not is_registered and shift_date > (select shift_date from newest)
    union
    select distinct site_id, 'workstation', workstation_id from workstation_shifts
    where not is_registered and shift_date > (select shift_date from newest)
    order by all
"""
# The same for ids that other registries name; they have no effect in a spelling that no site has.
_NAMED_IN_ROWS = f"""
    {_NEWEST},
    named as (
        select site_id, workstation_id, shift_id from raw.targets
        where valid_to is null or valid_to > (select shift_date from newest)
        union
        select site_id, workstation_id, shift_id from raw.booked where shift_date > (select shift_date from newest)
        union
        select site_id, workstation_id, null from raw.cameras
        where valid_to is null or valid_to > (select shift_date from newest)
        union
        select site_id, workstation_id, null from raw.released
    )
    select site_id, 'workstation' as kind, workstation_id as id from named
    anti join raw.workstations using (site_id, workstation_id)
    where workstation_id <> '*'
    union
    select site_id, 'shift', shift_id from named
    anti join shift_windows using (site_id, shift_id)
    anti join raw.shifts using (site_id, shift_id)
    where shift_id <> '*'
    order by all
"""
_LISTED = """
    select site_id, 'worker' as kind, worker_id as id from raw.workers
    union
    select site_id, 'workstation', workstation_id from raw.workstations
    union
    select site_id, 'shift', shift_id from shift_windows where shift_id <> 'unscheduled'
    union
    select site_id, 'shift', shift_id from raw.shifts
    order by all
"""


# Cyrillic and Greek letters that look like a Latin one, after case folding.
_TWINS = str.maketrans("авекмнорстухіјѕαβεζηικμνορτυχ", "abekmhopctyxijsabezhikmnoptyx")


def folded(identifier: str) -> str:
    """An id for comparison: without letter case, width, accents, blanks, leading zeros and a spreadsheet's `.0`.

    Hyphens, dots, slashes and underscores count between digits only, where all are one: `1-2` is not `12`.
    """
    decomposed = normalize("NFKD", identifier).casefold()
    plain = "".join(sign for sign in decomposed if not combining(sign) and not sign.isspace()).translate(_TWINS)
    plain = re.sub(r"(?<=[0-9])\.0+\Z", "", plain)
    plain = re.sub(r"[-\u2010-\u2015\u2212_./]+", "-", plain)
    plain = re.sub(r"(?<![0-9])-|-(?![0-9])", "", plain)
    return re.sub(r"(?<![0-9])0+(?=[0-9])", "", plain)


def look_alikes(seen: Sequence[str], listed: Sequence[str]) -> dict[str, list[str]]:
    """The unregistered ids that look like each registered id."""
    known: dict[str, str] = {}
    for one in sorted(listed):
        known.setdefault(folded(one), one)
    found: dict[str, list[str]] = {}
    for one in sorted(seen):
        if (like := known.get(folded(one))) is not None:
            found.setdefault(like, []).append(one)
    return found


def look_alike_results(connection: duckdb.DuckDBPyConnection, day: date, *, may_name: bool) -> list[DayResult]:
    """One result, dated `day`, for each site with an unregistered id.

    `may_name` says whether published sentences may contain ids. The connection's search path contains the marts.
    """
    queries = (_SEEN, _NAMED_IN_ROWS, _LISTED)
    seen, named, listed = (_by_kind(connection.execute(query).fetchall()) for query in queries)
    judged: dict[str, set[str]] = {}
    found: dict[str, dict[str, list[str]]] = {}
    for site, kind in sorted({*seen, *named}):
        own = seen.get((site, kind), [])
        alike = look_alikes([*{*own, *named.get((site, kind), [])}], listed.get((site, kind), []))
        for one, like in alike.items():
            found.setdefault(site, {}).setdefault(one, []).extend(like)
        if own or alike:
            judged.setdefault(site, set()).update(own, *alike.values())
    return [_result(site, day, len(ids), found.get(site, {}), may_name) for site, ids in judged.items()]


def _by_kind(rows: Sequence[tuple[str, str, str]]) -> Mapping[tuple[str, str], list[str]]:
    found: dict[tuple[str, str], list[str]] = {}
    for site, kind, one in rows:
        if one is not None:
            found.setdefault((site, kind), []).append(one)
    return found


def _result(site: str, day: date, seen: int, found: Mapping[str, Sequence[str]], may_name: bool) -> DayResult:
    count = sum(len(each) for each in found.values())
    pairs = [f"{', '.join(like)} of {listed}" for listed, like in found.items()]
    shown = "; ".join(pairs[:_NAMED]) + (f"; and {len(pairs) - _NAMED} more" if len(pairs) > _NAMED else "")
    said = f"{count} of {seen} ids that are not registered look like registered ones"
    text = f"{said}: {shown}" if may_name else said
    told = text if count else "no id looks like a registered one"
    return count_result(LOOK_ALIKES, METRIC, Cell(site), day, count, seen, told)
