"""The metrics API as static files: the figures of a shift day as JSON, for other programs.

There is one tree of files per version, published by one rename of the link `api/metrics`, so that all answers are of
one version. Everything comes from published marts; every ratio over the windows of a day is the ratio of the sums
(contract §6). Percentages are 0–100 and, like minutes and rates, have one decimal; null where the denominator is 0.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb

from ingestion.durable import point_to, sync
from ingestion.errors import ReportError
from reports.metrics_names import API, COARSER, KINDS, folder_name
from reports.published_views import quoted

DAYS_SHOWN = 31

Day = tuple[str, date]
Row = dict[str, Any]

# One row per person or station and day, with the columns of the answer after `site_id` and `shift_date` are removed.
_SELECTS = {
    "workers": """
        select
            site_id,
            shift_date,
            worker_id,
            any_value(worker_name) as name,
            round(sum(active_seconds) / 60, 1) as total_active_time_minutes,
            round(sum(idle_seconds) / 60, 1) as total_idle_time_minutes,
            round(100 * sum(active_seconds) / nullif(sum(present_seconds), 0), 1) as utilization_percentage,
            cast(sum(units) as bigint) as total_units_produced,
            round(sum(units) * 3600 / nullif(sum(active_seconds), 0), 1) as units_per_hour
        from worker_shifts
        group by site_id, shift_date, worker_id
        order by site_id, worker_id
    """,
    "workstations": """
        select
            site_id,
            shift_date,
            workstation_id as station_id,
            any_value(workstation_name) as name,
            any_value(station_type) as type,
            round(whole(occupancy_seconds) / 60, 1) as occupancy_time_minutes,
            round(100 * whole(working_seconds) / nullif(whole(occupancy_seconds), 0), 1) as utilization_percentage,
            cast(whole(units) as bigint) as total_units_produced,
            round(whole(units) * 3600 / nullif(whole(occupancy_seconds), 0), 1) as throughput_per_hour
        from workstation_shifts
        group by site_id, shift_date, workstation_id
        order by site_id, station_id
    """,
}

# Figures of small groups are not published, so a sum with a missing part is null.
_WHOLE = "create macro whole(figure) as case when bool_and(figure is not null) then sum(figure) end"

_MARTS = {
    "workers": ("worker_shifts", "shift_windows"),
    "workstations": ("workstation_shifts", "shift_windows"),
    "factory": ("worker_shifts", "workstation_shifts", "shift_windows"),
}

# The average is unweighted over workers and leaves out absent ones, as in site_shifts.
_FACTORY = """
    with days as (select unnest($sites::varchar[]) as site_id, unnest($dates::date[]) as shift_date),
    workers as (
        select site_id, worker_id, sum(active_seconds) as active, sum(present_seconds) as present, sum(units) as units
        from worker_shifts semi join days using (site_id, shift_date) group by site_id, worker_id
    ),
    stations as (
        select count(distinct (site_id, workstation_id)) as stations
        from workstation_shifts semi join days using (site_id, shift_date)
    )
    select
        round(coalesce(sum(active), 0) / 60, 1) as total_productive_time_minutes,
        cast(coalesce(sum(units), 0) as bigint) as total_production_count,
        round(sum(units) * 3600 / nullif(sum(active), 0), 1) as average_production_rate,
        round(100 * avg(active / nullif(present, 0) order by site_id, worker_id), 1) as average_utilization_percentage,
        count(*) as total_workers,
        (select stations from stations) as total_workstations
    from workers
"""


@dataclass(frozen=True)
class MetricsReport:
    """Bytes and files written, without unchanged files."""

    bytes_written: int = 0
    files: int = 0


def publish_metrics(published: Path, site: Path, is_about_persons: bool = True) -> MetricsReport:
    """Bring `<site>/api/metrics` up to date with the published marts: the latest complete shift day and the last 31.

    Answers whose marts are not published are left out, as are answers about single persons if the plant does not
    publish these. Raises ReportError if a mart cannot be read. After a kill at any moment, all answers are of one
    version.
    """
    files = dict(_answers(published.resolve(), is_about_persons))
    digest = hashlib.sha256(json.dumps(sorted(files.items())).encode()).hexdigest()[:16]
    link = site / API
    before = link.resolve()
    tree = link.with_name(f".{link.name}-{digest}")
    link.parent.mkdir(parents=True, exist_ok=True)
    if before == tree.resolve() and link.is_symlink():
        return MetricsReport()
    written = _write_tree(tree, files, before)
    point_to(link, tree)
    for other in link.parent.glob(f".{link.name}-*"):
        if other != tree:
            shutil.rmtree(other, ignore_errors=True)
    return MetricsReport(sum(len(files[name].encode()) for name in written), len(written))


def _answers(published: Path, is_about_persons: bool) -> Iterator[tuple[str, str]]:
    """Each file's name below api/metrics and its text."""
    with duckdb.connect() as connection:
        try:
            connection.execute(_WHOLE)
            kinds = _open_marts(connection, published, is_about_persons)
            if not kinds:
                return
            if (published / "coarser_figures.parquet").exists():
                yield f"{COARSER}.json", _text(_coarser(connection, published))
            days = _complete_days(connection)
            shown = {day for days_of_site in days.values() for day in days_of_site}
            latest = _latest_day(connection)
            for kind in kinds:
                if kind == "factory":
                    yield "factory.json", _text(_factory(connection, latest))
                    for day in shown:
                        yield _file(kind, day), _text(_factory(connection, [day]))
                    continue
                rows = _rows_by_day(connection, _SELECTS[kind], [*shown, *latest])
                yield f"{kind}.json", _text([row for day in latest for row in rows.get(day, [])])
                for day in shown:
                    yield _file(kind, day), _text(rows.get(day, []))
        except duckdb.Error as error:
            reason = str(error).splitlines()[0]
            raise ReportError(f"The metrics API cannot be made of the published marts: {reason}") from error
    yield "index.json", _text(_index(kinds, days, latest))


def _open_marts(connection: duckdb.DuckDBPyConnection, published: Path, is_about_persons: bool) -> list[str]:
    """Create a view for each published mart; return the kinds of answers that they allow."""
    found = set()
    for mart in {mart for marts in _MARTS.values() for mart in marts}:
        file = published / f"{mart}.parquet"
        if file.exists() and (is_about_persons or mart != "worker_shifts"):
            path = str(file).replace("'", "''")
            connection.execute(f"create view {mart} as from '{path}'")
            found.add(mart)
    return [kind for kind in KINDS if found.issuperset(_MARTS[kind])]


def _complete_days(connection: duckdb.DuckDBPyConnection) -> dict[str, list[Day]]:
    """The complete shift days of each site within the last DAYS_SHOWN dates, oldest first."""
    found = connection.execute(
        "select distinct site_id, shift_date from shift_windows where is_day_complete order by all"
    ).fetchall()
    newest = dict(found)
    days: dict[str, list[Day]] = {}
    for site_id, shift_date in found:
        if shift_date > newest[site_id] - timedelta(days=DAYS_SHOWN):
            days.setdefault(site_id, []).append((site_id, shift_date))
    return days


def _latest_day(connection: duckdb.DuckDBPyConnection) -> list[Day]:
    """The newest shift date that is complete at every site with that date, as days of those sites."""
    return connection.execute(
        """
        select distinct site_id, shift_date from shift_windows
        where shift_date = (
            select max(shift_date)
            from (select shift_date from shift_windows group by shift_date having bool_and(is_day_complete))
        )
        order by all
        """
    ).fetchall()


def _rows_by_day(connection: duckdb.DuckDBPyConnection, select: str, days: list[Day]) -> dict[Day, list[Row]]:
    wanted, oldest = set(days), min((shift_date for _, shift_date in days), default=date.max)
    result = connection.execute(f"from ({select}) where shift_date >= ?", [oldest])
    names = [column[0] for column in result.description or []]
    rows: dict[Day, list[Row]] = {}
    for values in result.fetchall():
        row = dict(zip(names, values, strict=True))
        day = (row.pop("site_id"), row.pop("shift_date"))
        if day in wanted:
            rows.setdefault(day, []).append(row)
    return rows


def _factory(connection: duckdb.DuckDBPyConnection, days: list[Day]) -> Row:
    result = connection.execute(_FACTORY, {"sites": [site for site, _ in days], "dates": [day for _, day in days]})
    values = result.fetchone()
    assert values is not None  # an aggregate has one row
    return {column[0]: value for column, value in zip(result.description, values, strict=True)}


def _coarser(connection: duckdb.DuckDBPyConnection, published: Path) -> list[Row]:
    """Every row of `coarser_figures`, with minutes and percentages as in the other answers."""
    path = quoted(str(published / "coarser_figures.parquet"))
    result = connection.execute(
        f"""
        select
            site_id, cell, strftime(shift_date, '%Y-%m-%d') as shift_date, shift_id,
            strftime(week_started_on, '%Y-%m-%d') as week_started_on, line, workstation_id as station_id,
            workstation_name as name, shift_count as shifts,
            round((working_seconds + idle_seconds) / 60, 1) as occupancy_time_minutes,
            round(100 * utilization, 1) as utilization_percentage,
            units as total_units_produced,
            round(throughput_per_hour, 1) as throughput_per_hour,
            round(100 * attainment, 1) as attainment_percentage
        from {path}
        order by all
        """
    )
    names = [column[0] for column in result.description or []]
    return [dict(zip(names, values, strict=True)) for values in result.fetchall()]


def _file(kind: str, day: Day) -> str:
    site_id, shift_date = day
    return f"{kind}/{folder_name(site_id)}/{shift_date.isoformat()}.json"


def _index(kinds: list[str], days: dict[str, list[Day]], latest: list[Day]) -> Row:
    """The day of the answers without a date, and the list of dated answers: `<kind>/<folder>/<date>.json`."""
    return {
        "kinds": kinds,
        "latest": {
            "shift_date": latest[0][1].isoformat() if latest else None,
            "site_ids": [site_id for site_id, _ in latest],
        },
        "sites": [
            {"site_id": site_id, "folder": folder_name(site_id), "shift_dates": [day.isoformat() for _, day in own]}
            for site_id, own in sorted(days.items())
        ],
    }


def _text(answer: Any) -> str:
    return json.dumps(answer, ensure_ascii=False, indent=1) + "\n"


def _write_tree(tree: Path, files: dict[str, str], before: Path) -> list[str]:
    """Write all files below a new folder; unchanged files are hard links to the previous ones."""
    shutil.rmtree(tree, ignore_errors=True)  # left by a killed publish
    tree.mkdir()
    written = []
    for name, text in files.items():
        path, old = tree / name, before / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if old.is_file() and old.read_bytes() == text.encode():
            os.link(old, path)
            continue
        path.write_bytes(text.encode())
        sync(path)
        written.append(name)
    return written
