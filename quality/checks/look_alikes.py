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
_SEEN = """
    with newest as (select max(shift_date) - 30 as shift_date from shift_windows)
    select distinct site_id, worker_id as id from worker_shifts
    where not is_registered and shift_date > (select shift_date from newest)
    union
    select distinct site_id, workstation_id as id from workstation_shifts
    where not is_registered and shift_date > (select shift_date from newest)
    order by all
"""
_LISTED = """
    select site_id, worker_id as id from raw.workers
    union
    select site_id, workstation_id as id from raw.workstations
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
    seen, listed = (_by_site(connection.execute(query).fetchall()) for query in (_SEEN, _LISTED))
    return [_result(site, day, ids, look_alikes(ids, listed.get(site, [])), may_name) for site, ids in seen.items()]


def _by_site(rows: Sequence[tuple[str, str]]) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for site, one in rows:
        if one is not None:
            found.setdefault(site, []).append(one)
    return found


def _result(site: str, day: date, seen: Sequence[str], found: Mapping[str, Sequence[str]], may_name: bool) -> DayResult:
    count = sum(len(each) for each in found.values())
    pairs = [f"{', '.join(like)} of {listed}" for listed, like in found.items()]
    shown = "; ".join(pairs[:_NAMED]) + (f"; and {len(pairs) - _NAMED} more" if len(pairs) > _NAMED else "")
    said = f"{count} of {len(seen)} ids that are not registered look like registered ones"
    text = f"{said}: {shown}" if may_name else said
    told = text if count else "no id looks like a registered one"
    return count_result(LOOK_ALIKES, METRIC, Cell(site), day, count, len(seen), told)
