"""Suppression for `aggregate`, where no figure may be about a single person: one select for each published mart.

Allowed columns are listed for each mart; all other columns are NULL, and a mart that is not listed has no rows. A
figure about fewer than `min_group` workers is NULL. So are figures that would reveal it by subtraction: the stations of
a window add up to the site, and the hours of a station to its window. Of such parts the smallest are left out first,
until the parts left out together were made by at least `min_group` workers. A total with a part that is always left out
is left out too. docs/privacy.md names the limits of this method.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import duckdb

from ingestion.settings import Settings
from publishing.declarations import Mart


@dataclass(frozen=True, slots=True)
class Shown:
    """The columns of a mart that may be shown. `kept` columns identify a row or come from a plan, calendar or registry.
    `figures` are shown for rows made by enough workers (`hidden` returns the condition for all other rows, given
    `min_group`). `texts` replace sentences that contain figures. `rows` is the condition for rows that are published.
    """

    kept: tuple[str, ...] = ()
    figures: tuple[str, ...] = ()
    hidden: Callable[[int], str] = lambda _: "true"
    texts: Mapping[str, str] = field(default_factory=dict)
    rows: Callable[[int], str] = lambda _: "true"

    @property
    def columns(self) -> set[str]:
        """All listed columns."""
        return {*self.kept, *self.figures, *self.texts}


WINDOW = ("site_id", "shift_date", "shift_id")
_STATION = (*WINDOW, "workstation_id")
_CAMERA = ("site_id", "event_date", "camera_id")

# One row per cell and contributing worker. For hours, workers with a state there count: a worker named only by product
# counts is not counted, which errs on the side of leaving out more.
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


# The other marts whose rows of the same days decide which figures of a mart are left out. The raw events that decide
# about cameras (below) change together with the cameras' marts.
_DECIDED_BY = {
    "workstation_shifts": ("worker_station_shifts",),
    "station_targets": ("workstation_shifts", "worker_station_shifts"),
    "hourly_output": ("workstation_shifts", "worker_station_shifts", "state_intervals"),
    "camera_days": ("model_days",),
    "confidence_histograms": ("model_days",),
}


def publication_rules(settings: Settings) -> str:
    """The publication rules as a short text; versions under equal rules can share files."""
    return f"aggregate {settings.min_group}, summed" if settings.worker_identity == "aggregate" else "all rows"


def published_from(settings: Settings, mart: str) -> tuple[str, ...]:
    """The marts whose rows of a day decide which figures of this mart are published for that day."""
    return (mart, *(_DECIDED_BY.get(mart, ()) if settings.worker_identity == "aggregate" else ()))


def published_rows(connection: duckdb.DuckDBPyConnection, settings: Settings, mart: Mart) -> str:
    """The select for the published rows of a mart in the schema `marts`."""
    table = f'marts."{mart.name}"'
    if settings.worker_identity != "aggregate":
        return f"from {table}"
    shown = SHOWN.get(mart.name)
    if shown is None or mart.about == "person":
        return f"from {table} where false"
    names = [name for name, *_ in connection.execute(f"describe {table}").fetchall()]
    hidden = shown.hidden(settings.min_group)
    columns = ", ".join(f'{_shown_column(shown, name, hidden)} as "{name}"' for name in names)
    return f"select {columns} from {table} where {shown.rows(settings.min_group)}"


def _shown_column(shown: Shown, name: str, hidden: str) -> str:
    if name in shown.kept:
        return f'"{name}"'
    if name in shown.figures:
        return f'case when not coalesce({hidden}, true) then "{name}" end'
    return shown.texts.get(name) or f'case when false then "{name}" end'


def _among(columns: tuple[str, ...], rows: str) -> str:
    return f"({', '.join(columns)}) in ({rows})"


def small_stations(smallest: int) -> str:
    """A select of the stations' windows whose figures are left out."""
    cells = (
        "select site_id, shift_date, shift_id, workstation_id, worker_count as workers from marts.workstation_shifts"
    )
    return left_out(cells, _STATION_MEMBERS, WINDOW, ("workstation_id",), smallest)


def _small_hours(smallest: int) -> str:
    cells = f"""
        select site_id, shift_date, shift_id, workstation_id, hour, count(worker_id) as workers
        from marts.hourly_output
        left join ({_HOUR_MEMBERS}) as members using (site_id, shift_date, shift_id, workstation_id, hour)
        group by all
    """
    return left_out(cells, _HOUR_MEMBERS, _STATION, ("hour",), smallest)


def _large_cameras(smallest: int) -> str:
    """Days of cameras on which every model saw enough workers; otherwise the others would reveal the hidden one."""
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


def left_out(cells: str, members: str, whole: tuple[str, ...], part: tuple[str, ...], smallest: int) -> str:
    """A select of the cells whose figures are left out. The parts of a `whole` add up to a published figure.

    In order of their number of workers, parts are left out from the smallest on, until the parts left out were made by
    `smallest` different workers together. If no part is too small, none is left out.
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


def _all_days_large(columns: tuple[str, ...], smallest: int) -> str:
    """A condition that the figures of all camera days that a row sums are shown."""
    keys = ", ".join(columns)
    return f"""({keys}) not in (
        select {keys} from marts.model_days where not {_among(_CAMERA, _large_cameras(smallest))}
    )"""


def _small_sites(smallest: int) -> str:
    return f"""
        site_id not in (
            select site_id from raw.events group by site_id having count(distinct worker_id) >= {smallest}
        )
    """


def _hidden_cameras(smallest: int) -> str:
    return f"not {_among(_CAMERA, _large_cameras(smallest))}"


_MODEL = ("site_id", "model_name", "model_version")
_SEEN_STATIONS = "select site_id, shift_date, shift_id, workstation_id from marts.workstation_shifts"
_DECISION = "'the figures are not shown'"

# Everything that is shown. Label marts are missing because labels are about single events of single workers; counts of
# objects are missing because an object is one camera's hour.
SHOWN: Mapping[str, Shown] = {
    "sites": Shown(
        kept=("site_id", "site_name", "timezone", "is_registered", "latest_complete_shift_date"),
        figures=("first_event_at", "last_event_at", "last_event_local"),
        hidden=_small_sites,
    ),
    "shift_windows": Shown(
        kept=(
            *("site_id", "shift_date", "shift_id", "started_at", "ended_at", "started_local", "ended_local"),
            *("scheduled_seconds", "is_complete", "is_day_complete"),
        )
    ),
    "site_shifts": Shown(
        kept=WINDOW,
        figures=(
            *("productive_seconds", "units", "units_per_productive_hour", "average_utilization", "utilization"),
            *("worker_count", "workstation_count", "observed_seconds", "coverage"),
        ),
        hidden=lambda smallest: f"worker_count < {smallest}",
    ),
    "workstation_shifts": Shown(
        kept=(
            *(*_STATION, "workstation_name", "station_type", "line", "is_registered", "target_units_per_hour"),
            *("target_units", "target_units_so_far"),
        ),
        figures=(
            *("working_seconds", "idle_seconds", "occupancy_seconds", "staffed_seconds", "utilization", "units"),
            *("throughput_per_hour", "worker_count", "attainment", "observed_seconds", "coverage"),
        ),
        hidden=lambda smallest: _among(_STATION, small_stations(smallest)),
    ),
    # A station where nobody was seen is in no other mart.
    "station_targets": Shown(
        kept=(
            *(*_STATION, "workstation_name", "station_type", "line", "is_registered", "scheduled_seconds"),
            *("target_units_per_hour", "target_units", "target_units_so_far"),
        ),
        figures=(
            *("units", "staffed_seconds", "observed_seconds", "coverage", "attainment", "working_seconds"),
            *("idle_seconds", "unstaffed_seconds", "not_seen_seconds"),
        ),
        hidden=lambda smallest: (
            f"{_among(_STATION, small_stations(smallest))} or not {_among(_STATION, _SEEN_STATIONS)}"
        ),
    ),
    # Without running sums, whose values in neighbouring hours would reveal a hidden hour.
    "hourly_output": Shown(
        kept=(*_STATION, "hour", "target_units", "target_units_so_far", "cumulative_target_units"),
        figures=("units", "working_seconds", "idle_seconds", "observed_seconds", "coverage", "staffed_seconds"),
        hidden=lambda smallest: (
            f"{_among(_STATION, small_stations(smallest))} or {_among((*_STATION, 'hour'), _small_hours(smallest))}"
        ),
    ),
    "station_releases": Shown(kept=("site_id", "workstation_id", "is_released", "released_by")),
    "camera_days": Shown(
        kept=_CAMERA,
        # Includes the scheduled time: on the newest day it ends with the site's newest event, which belongs to one
        # person.
        figures=(
            "scheduled_seconds",
            *("event_count", "first_event_at", "last_event_at", "covered_seconds", "coverage"),
            *("longest_silence_seconds", "late_events", "late_share", "p50_lateness_seconds", "p95_lateness_seconds"),
            *("clock_offset_seconds", "station_events"),
        ),
        hidden=_hidden_cameras,
    ),
    "model_days": Shown(
        kept=(*_CAMERA, "model_name", "model_version"),
        figures=(
            *("event_count", "mean_confidence", "p05_confidence", "working_events", "idle_events", "absent_events"),
            "product_count_events",
        ),
        hidden=_hidden_cameras,
    ),
    # A camera's events at one station may be one person's, however many people it saw elsewhere.
    "camera_pairs": Shown(kept=(*_CAMERA, "workstation_id", "other_camera_id", "kind")),
    # The existence of a bin reveals the events in it.
    "confidence_histograms": Shown(
        kept=(*_CAMERA, "model_name", "model_version", "bin", "event_count"),
        rows=lambda smallest: _among(_CAMERA, _large_cameras(smallest)),
    ),
    "model_versions": Shown(
        kept=("site_id", "camera_id", "model_name", "model_version"),
        figures=("first_event_at", "last_event_at", "event_count"),
        hidden=lambda smallest: f"not {_all_days_large(('camera_id', *_MODEL), smallest)}",
    ),
    "model_comparison": Shown(
        kept=(*_MODEL, "camera_count", "day_count"),
        figures=(
            *("first_event_at", "last_event_at", "event_count", "mean_confidence", "working_share", "idle_share"),
            *("absent_share", "product_count_share"),
        ),
        hidden=lambda smallest: f"not {_all_days_large(_MODEL, smallest)}",
    ),
    "model_verdicts": Shown(
        kept=(*("site_id", "model_name", "earlier_version", "later_version", "metric", "sample_unit", "verdict"),),
        texts={"sentence": f"verdict || ': ' || {_DECISION}"},
    ),
    "retraining_requests": Shown(
        kept=(
            *("site_id", "request_id", "model_name", "model_version", "reason", "status", "as_of", "opened_at"),
            *("closed_at", "closed_by_version", "threshold", "manifest"),
        ),
        texts={"sentence": f"reason || ': ' || {_DECISION}"},
    ),
    "check_results": Shown(
        kept=(
            *("site_id", "evidence_date", "check_name", "metric", "cell", "camera_id", "model_name", "model_version"),
            *("status", "severity", "threshold", "judged_at"),
        ),
        texts={"sentence": f"check_name || ': ' || status || ', ' || {_DECISION}"},
    ),
    "incidents": Shown(
        kept=(
            *("site_id", "incident_id", "metric", "cell", "camera_id", "model_name", "model_version", "opened_at"),
            *("closed_at", "first_evidence_date", "last_evidence_date", "severity", "status", "page"),
            *("ending", "accepted_by"),
        ),
        texts={
            "sentence": f"metric || ': ' || {_DECISION}",
            "closing_sentence": f"case when closing_sentence is not null then {_DECISION} end",
        },
    ),
    # Keys and content hashes are needed to rebuild a lost warehouse.
    # Nobody knows whom an unread object is about, so only its name and the reason are shown, not its size.
    "unread_objects": Shown(kept=("object_key", "reason", "detail", "modified_at")),
    "registry_changes": Shown(
        kept=("site_id", "file", "line_count", "in_force_since", "change", "shift_dates_recomputed")
    ),
    "landed_objects": Shown(kept=("object_key", "etag", "landed_at", "mapping")),
    "rejected_records": Shown(
        kept=("object_key", "reason", "rejected_at", "superseded_at"),
        texts={"detail": "'not shown'"},
    ),
    "unexpected_fields": Shown(
        kept=("site_id", "field", "first_seen_at", "last_seen_at", "object_count", "camera_count")
    ),
}
