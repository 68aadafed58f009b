"""`coarser_figures`: sums over lines and weeks that `aggregate` publishes where single stations' shifts are left out.

The windows of a site's week and its stations are the rows and columns of the table that cuts.py speaks of; its cells
are the stations' windows that are left out. A line that is shown in a window makes two rows of it: the line's stations,
and the others. Lines of a week are columns that consist of their stations without a published sum.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable

import duckdb

from publishing.cuts import Column, publishable
from publishing.declarations import Mart
from publishing.plant_file import Described
from publishing.suppression import WINDOW, left_out, small_stations

COARSER = Mart("coarser_figures", "group", "whole", None, ("workstation",))
DESCRIBED = Described(
    "One row per sum over a line or a week that may be shown where finer figures are left out.",
    {
        "site_id": "The site.",
        "cell": "line_shift, station_week, line_week or site_week.",
        "shift_date": "The window's shift date; NULL for weeks.",
        "shift_id": "The window's shift; NULL for weeks.",
        "week_started_on": "The week's Monday; NULL for windows.",
        "line": "The line; NULL where the row is about none.",
        "workstation_id": "The workstation; NULL where the row is about more than one.",
        "workstation_name": "The workstation's name; NULL where the row is about more than one.",
        "shift_count": "How many windows the row adds up.",
        "working_seconds": "Seconds in state working, summed over people.",
        "idle_seconds": "Seconds in state idle, summed over people.",
        "utilization": "working / (working + idle), 0 to 1.",
        "units": "Units counted.",
        "throughput_per_hour": "Units per hour of working and idle time.",
        "target_units": "The sum of the targets; NULL where a station's window has none.",
        "attainment": "Units / target so far; NULL where a station's window has no target.",
    },
)

_WEEK = "site_id, week_started_on"
_NO_LINE = ""  # the group of the stations without a line; no line has this name
_FIGURES = """
    count(distinct (shift_date, shift_id)) as shift_count,
    cast(sum(working) / 1000000e0 as double) as working_seconds,
    cast(sum(idle) / 1000000e0 as double) as idle_seconds,
    cast(sum(working) as double) / nullif(sum(working + idle), 0) as utilization,
    cast(sum(units) as bigint) as units,
    cast(sum(units) as double) * 3600000000 / nullif(sum(working + idle), 0) as throughput_per_hour,
    case when bool_and(target_units is not null) then
        sum(target_units order by shift_date, shift_id, workstation_id)
    end as target_units,
    case when bool_and(target_units is not null) then
        cast(sum(units) as double)
        / nullif(sum(target_units_so_far order by shift_date, shift_id, workstation_id), 0)
    end as attainment
"""


def coarser_rows(connection: duckdb.DuckDBPyConnection, smallest: int) -> str:
    """The select for the mart's rows, after temporary tables for it were made; `smallest` is `min_group`.

    One row per line and window (`cell` is `line_shift`), station and ISO week (`station_week`), line and week
    (`line_week`) and site and week (`site_week`). Weeks are those that are complete, by their scheduled windows.
    """
    connection.execute(f"create or replace temp table coarser_cells as {_cells(smallest)}")
    connection.execute(f"create or replace temp table coarser_people as {_people()}")
    small_lines = left_out(_LINE_CELLS, _LINE_PEOPLE, WINDOW, ("grouping",), smallest)
    connection.execute(f"create or replace temp table coarser_small_lines as {small_lines}")
    connection.execute(f"create or replace temp table coarser_weeks as {_weeks(smallest)}")
    connection.execute(
        "create or replace temp table coarser_left_out "
        "(site_id varchar, week_started_on date, workstation_id varchar, line varchar)"
    )
    if without_sum := _without_sum(connection, smallest):
        connection.executemany("insert into coarser_left_out values (?, ?, ?, ?)", without_sum)
    stations, lines = (
        f"({_WEEK}, {column}) not in (select {_WEEK}, {column} from coarser_left_out where {column} is not null)"
        for column in ("workstation_id", "line")
    )
    return f"""
        select
            site_id, cell, shift_date, shift_id, week_started_on, line, workstation_id, workstation_name,
            * exclude (
                site_id, cell, shift_date, shift_id, week_started_on, line, workstation_id, workstation_name
            )
        from (
        {_sums("line_shift", "site_id, shift_date, shift_id, line", f"line is not null and {_IS_LINE_SHOWN}")}
        union all by name
        {_sums("station_week", f"{_WEEK}, line, workstation_id, workstation_name", f"is_complete and {stations}")}
        union all by name
        {_sums("line_week", f"{_WEEK}, line", f"line is not null and is_complete and {lines}")}
        union all by name
        {_sums("site_week", _WEEK, "is_complete and is_rest_large")}
        )
    """


def _without_sum(connection: duckdb.DuckDBPyConnection, smallest: int) -> list[tuple[object, ...]]:
    """The stations (site, week, station, None) and lines (site, week, None, line) whose weeks are left out."""
    tables: dict[tuple[object, ...], dict[str, tuple[str, dict[Hashable, frozenset[str]]]]] = defaultdict(dict)
    cells = connection.execute(
        f"""
        select
            site_id, week_started_on, is_rest_large, workstation_id, grouping, shift_date, shift_id,
            case when {_IS_LINE_SHOWN} then grouping else '{_NO_LINE}' end as row_group,
            list(worker_id) filter (where worker_id is not null) as people
        from coarser_cells
        inner join coarser_weeks using ({_WEEK})
        left join coarser_people using (site_id, shift_date, shift_id, workstation_id)
        where is_hidden and is_complete
        group by all
        """
    ).fetchall()
    for site, week, is_rest_large, station, grouping, *row, people in cells:
        _, column = tables[site, week, is_rest_large].setdefault(station, (grouping, {}))
        if people:
            column[tuple(row)] = frozenset(people)
    found: list[tuple[object, ...]] = []
    for (site, week, is_rest_large), stations in tables.items():
        columns: dict[str, Column] = {station: column for station, (_, column) in stations.items()}
        empty = {station for station, column in columns.items() if not column}
        hidden = set(columns) - publishable(columns, smallest, empty, bool(is_rest_large))
        found += [(site, week, station, None) for station in hidden]
        rests: dict[str, dict[Hashable, frozenset[str]]] = defaultdict(dict)
        for station in hidden:
            grouping, column = stations[station]
            for place, people in column.items():
                rests[grouping][place] = rests[grouping].get(place, frozenset()) | people
            rests[grouping] = rests[grouping]
        kept_back = {grouping for grouping, rest in rests.items() if grouping == _NO_LINE or not rest}
        shown = publishable(rests, smallest, kept_back, bool(is_rest_large))
        found += [(site, week, None, line) for line in set(rests) - shown - {_NO_LINE}]
    return found


def _cells(smallest: int) -> str:
    """The scheduled windows of stations, with durations in microseconds; `is_hidden` where they are left out."""
    return f"""
        with small as ({small_stations(smallest)}),

        stations as (
            select site_id, workstation_id, max(line) as line, max(workstation_name) as workstation_name
            from marts.workstation_shifts
            group by site_id, workstation_id
        ),

        site_shifts as (
            select site_id, shift_date, shift_id, worker_count >= {smallest} as is_window_shown from marts.site_shifts
        )

        select
            site_id,
            cast(date_trunc('week', shift_date) as date) as week_started_on,
            shift_date,
            shift_id,
            workstation_id,
            stations.workstation_name,
            stations.line,
            coalesce(stations.line, '{_NO_LINE}') as grouping,
            small.workstation_id is not null as is_hidden,
            coalesce(is_window_shown, false) as is_window_shown,
            worker_count,
            cast(round(working_seconds * 1000000) as bigint) as working,
            cast(round(idle_seconds * 1000000) as bigint) as idle,
            units,
            target_units,
            target_units_so_far
        from marts.workstation_shifts as shifts
        inner join stations using (site_id, workstation_id)
        left join small using (site_id, shift_date, shift_id, workstation_id)
        left join site_shifts using (site_id, shift_date, shift_id)
        where shift_id <> 'unscheduled'
    """


def _people() -> str:
    return """
        select distinct site_id, shift_date, shift_id, workstation_id, worker_id
        from marts.worker_station_shifts
        semi join (from coarser_cells where is_hidden) using (site_id, shift_date, shift_id, workstation_id)
    """


_LINE_PEOPLE = f"""
    select distinct {", ".join(WINDOW)}, grouping, worker_id
    from coarser_cells
    inner join coarser_people using ({", ".join(WINDOW)}, workstation_id)
    where is_hidden
"""
# The parts of a window that are left out, by line. Stations without a line are no part that could be shown.
_LINE_CELLS = f"""
    select
        {", ".join(WINDOW)}, grouping,
        case when grouping = '{_NO_LINE}' then -1 else count(distinct worker_id) end as workers
    from coarser_cells
    left join coarser_people using ({", ".join(WINDOW)}, workstation_id)
    where is_hidden
    group by {", ".join(WINDOW)}, grouping
"""
_IS_LINE_SHOWN = f"({', '.join(WINDOW)}, grouping) not in (from coarser_small_lines)"


def _weeks(smallest: int) -> str:
    """Each site's weeks: whether they are complete, and whether the windows whose sums are left out are nobody's or
    enough people's together. Retention may have deleted who was there; then they are taken for too few.
    """
    return f"""
        with rests as (
            select {_WEEK}, max(worker_count) as worker_count, count(distinct worker_id) as people
            from coarser_cells
            left join coarser_people using (site_id, shift_date, shift_id, workstation_id)
            where not is_window_shown
            group by {_WEEK}
        )

        select
            {_WEEK},
            coalesce(latest_complete_shift_date >= week_started_on + 6, false) as is_complete,
            coalesce(worker_count, 0) = 0 or people >= {smallest} as is_rest_large
        from (select distinct {_WEEK} from coarser_cells) as weeks
        left join (select site_id, latest_complete_shift_date from marts.sites) as sites using (site_id)
        left join rests using ({_WEEK})
    """


def _sums(cell: str, columns: str, condition: str) -> str:
    """The rows of one kind of cell: its figures over all its scheduled windows and stations."""
    return f"""
        select '{cell}' as cell, {columns}, {_FIGURES}
        from (from coarser_cells inner join coarser_weeks using ({_WEEK}))
        where {condition}
        group by {columns}
    """
