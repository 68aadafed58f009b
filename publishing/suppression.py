"""What is published of each mart where nothing may be said about single persons (`aggregate`): a select for each.

Rows that are about one person are left out, and so are the texts of rejected records. A figure about fewer than
`min_group` workers is NULL. So are figures that would give it away by subtraction: the stations of a window add up to
the site, the hours of a station to its window. Of such parts, smallest first, as many are left out as it takes for
those left out together to be made by `min_group` workers. docs/privacy.md names the limits of this.
"""

from __future__ import annotations

import duckdb

from ingestion.settings import Settings
from publishing.marts import Mart

# Who or what a row is about, and what a plan or a calendar says. All other columns are figures.
_KEPT = {
    *("site_id", "shift_date", "shift_id", "event_date", "hour"),
    *("workstation_id", "workstation_name", "station_type", "line", "is_registered"),
    *("camera_id", "model_name", "model_version", "scheduled_seconds"),
}
# Running sums: the hours on either side of one that is left out would give it away.
_RUNNING = {"cumulative_units", "cumulative_gap"}

_WINDOW = ("site_id", "shift_date", "shift_id")
_STATION = (*_WINDOW, "workstation_id")
_CAMERA = ("site_id", "event_date", "camera_id")

# One row per cell and worker who made it. Of the hours, workers whose state was seen there: where product counts alone
# name somebody, the cell counts as made by fewer, which leaves out more.
_STATION_MEMBERS = (
    "select distinct site_id, shift_date, shift_id, workstation_id, worker_id from marts.worker_station_shifts"
)
_HOUR_MEMBERS = """
    select distinct site_id, shift_date, shift_id, workstation_id, worker_id, hour
    from marts.hourly_output
    inner join marts.state_intervals using (site_id, shift_date, shift_id, workstation_id)
    where worker_id is not null
        and started_at < hour + interval 1 hour and greatest(ended_at - interval 1 microsecond, started_at) >= hour
"""


# What decides, beside a mart's own rows, which of its figures are left out: marts with rows of the same days. What of
# the raw events decides about the cameras (below) changes together with their marts.
_DECIDED_BY = {
    "workstation_shifts": ("worker_station_shifts",),
    "station_targets": ("workstation_shifts", "worker_station_shifts"),
    "hourly_output": ("workstation_shifts", "worker_station_shifts", "state_intervals"),
    "camera_days": ("model_days",),
}


def publication_rules(settings: Settings) -> str:
    """By which rules rows become public, as a short text: what is published under the same ones can be compared."""
    return f"{settings.worker_identity} {settings.min_group}" if settings.worker_identity == "aggregate" else "all rows"


def published_from(settings: Settings, mart: str) -> tuple[str, ...]:
    """The marts whose rows of a day decide what is published of this mart's rows of that day."""
    return (mart, *(_DECIDED_BY.get(mart, ()) if settings.worker_identity == "aggregate" else ()))


def published_rows(connection: duckdb.DuckDBPyConnection, settings: Settings, mart: Mart) -> str:
    """The select whose rows are published of a mart of the schema `marts`."""
    table = f'marts."{mart.name}"'
    if settings.worker_identity != "aggregate":
        return f"from {table}"
    columns = [name for name, *_ in connection.execute(f"describe {table}").fetchall()]
    if mart.about == "person":
        return f"from {table} where false"
    if mart.name == "rejected_records":
        return f"select * replace (null::varchar as payload, 'not shown' as detail) from {table}"
    hidden = _hidden(mart.name, settings.min_group)
    return f"from {table}" if hidden is None else _without(table, columns, hidden)


def _hidden(mart: str, smallest: int) -> str | None:
    """The condition of the rows of a mart whose figures are left out; None where none is about a group of workers."""
    of_station = _among(_STATION, _small_stations(smallest))
    return {
        "site_shifts": f"worker_count < {smallest}",
        "workstation_shifts": of_station,
        "station_targets": of_station,
        "hourly_output": f"{of_station} or {_among((*_STATION, 'hour'), _small_hours(smallest))}",
        "model_days": f"not {_among(_CAMERA, _large_cameras(smallest))}",
        "camera_days": f"not {_among(_CAMERA, _large_cameras(smallest))}",
    }.get(mart)


def _without(table: str, columns: list[str], condition: str) -> str:
    """The table with NULL for the figures of the rows that meet a condition."""
    figures = [name for name in columns if name not in _KEPT and not name.startswith("target")]
    hidden = ", ".join(
        f'case when not coalesce({"true" if name in _RUNNING else condition}, true) then "{name}" end as "{name}"'
        for name in figures
    )
    return f"select * replace ({hidden}) from {table}"


def _among(columns: tuple[str, ...], rows: str) -> str:
    return f"({', '.join(columns)}) in ({rows})"


def _small_stations(smallest: int) -> str:
    cells = (
        "select site_id, shift_date, shift_id, workstation_id, worker_count as workers from marts.workstation_shifts"
    )
    return _left_out(cells, _STATION_MEMBERS, _WINDOW, ("workstation_id",), smallest)


def _small_hours(smallest: int) -> str:
    cells = f"""
        select site_id, shift_date, shift_id, workstation_id, hour, count(worker_id) as workers
        from marts.hourly_output
        left join ({_HOUR_MEMBERS}) as members using (site_id, shift_date, shift_id, workstation_id, hour)
        group by all
    """
    return _left_out(cells, _HOUR_MEMBERS, _STATION, ("hour",), smallest)


def _large_cameras(smallest: int) -> str:
    """Days of cameras all of whose models saw enough workers: with one model less, the others would tell of it."""
    return f"""
        select site_id, event_date, camera_id
        from (
            select site_id, cast(event_at as date) as event_date, camera_id, count(distinct worker_id) as workers
            from raw.events
            group by site_id, cast(event_at as date), camera_id, model_name, model_version
        )
        group by site_id, event_date, camera_id
        having min(workers) >= {smallest}
    """


def _left_out(cells: str, members: str, whole: tuple[str, ...], part: tuple[str, ...], smallest: int) -> str:
    """The cells whose figures are left out. The parts of a `whole` add up to a figure that is published as well.

    Ordered by the workers who made them, the parts are left out from the smallest on until those left out were made by
    `smallest` different workers together; none is where none is too small.
    """
    whole_columns, cell_columns = ", ".join(whole), ", ".join((*whole, *part))
    return f"""
        with cells as ({cells}),

        members as ({members}),

        ranked as (
            select
                *,
                row_number() over (partition by {whole_columns} order by workers, {", ".join(part)}) as place
            from cells
        ),

        first_places as (
            select {whole_columns}, worker_id, min(place) as place
            from ranked
            inner join members using ({cell_columns})
            group by {whole_columns}, worker_id
        ),

        newcomers as (
            select {whole_columns}, place, count(*) as newcomers
            from first_places
            group by {whole_columns}, place
        ),

        reached as (
            select
                ranked.*,
                coalesce(sum(newcomers) over (partition by {whole_columns} order by place), 0) as together
            from ranked
            left join newcomers using ({whole_columns}, place)
        ),

        limits as (
            select
                {whole_columns},
                count(*) filter (where workers < {smallest}) as too_small,
                coalesce(min(place) filter (where together >= {smallest}), count(*)) as enough
            from reached
            group by {whole_columns}
        )

        select {cell_columns}
        from reached
        inner join limits using ({whole_columns})
        where too_small > 0 and place <= greatest(too_small, enough)
    """
