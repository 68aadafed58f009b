"""Checks of complete counts. A count of all records is no sample, so it needs no significance test.

Each query reads aggregates of marts and returns cell, day, value and sample size. The threshold and the smallest
sample size decide.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import duckdb

from quality.checks import look_alikes, old_events
from quality.checks.results import Cell, DayResult, Severity


@dataclass(frozen=True, slots=True)
class CountCheck:
    """A check of a count: `query` selects site, camera, day, value and size; a value above `highest` is evidence.

    The check runs only if all `marts` exist. `words` is the sentence of a pass, `warning` that of a failure. Their
    fields are `value`, `highest` (the limit) and `what` (the query's optional sixth column).
    """

    name: str
    metric: str
    severity: Severity
    marts: tuple[str, ...]
    highest: float
    smallest_sample: int
    words: str
    warning: str
    query: str
    # Whether one day of evidence opens an incident: a complete count is certain, and data that can still be repaired
    # would be lost by waiting.
    is_strong: bool = True
    # Whether its days are days of landing, not days of events.
    by_landing: bool = False


REJECTED = CountCheck(
    "few_records_are_rejected",
    "rejected_share",
    "warning",
    ("landed_objects", "rejected_records"),
    0.05,
    200,
    "{value:.1%} of what landed that day was rejected, by {what}; {highest:.0%} is the limit",
    "{value:.1%} of what landed that day was rejected, by {what}, more than {highest:.0%}: what was in it is missing",
    # The site is the one that the key's folders name (`contract.events.folder_of`).
    # A rejected object counts as one record, however many it contained. So the share of bytes is judged beside that of
    # records. Superseded contents do not count. For the sample size, 250 bytes count as one record.
    r"""
    with superseded as (
        select distinct object_key, etag from rejected_records where superseded_at is not null
    ),
    weighed as (
        select
            coalesce(
                list_last(list_filter(
                    list_transform(
                        list_filter(string_split(object_key, '/')[:-2], lambda one: one ilike 'site\_id=%' escape '\'),
                        lambda one: trim(nfc_normalize(try(url_decode(substr(one, 9)))))
                    ),
                    lambda one: one not in ('', '__HIVE_DEFAULT_PARTITION__')
                )),
                '*'
            ) as site_id,
            cast(timezone('UTC', landed_at) as date) as day,
            records,
            bytes,
            if((object_key, etag) in (from superseded), 0, rejected) as lost
        from landed_objects
    ),
    days as (
        select
            site_id,
            day,
            sum(lost) / nullif(sum(records), 0) as of_records,
            sum(bytes * lost / nullif(records, 0)) / nullif(sum(bytes), 0) as of_bytes,
            sum(greatest(records, bytes // 250)) as size
        from weighed
        group by all
    )
    select
        site_id,
        '' as camera_id,
        day,
        greatest(of_records, of_bytes) as value,
        size,
        if(of_bytes > of_records, 'bytes', 'records') as what
    from days
    """,
    by_landing=True,
)

UNREAD = CountCheck(
    "every_object_is_read",
    "unread_objects",
    "warning",
    ("unread_objects",),
    0,
    0,
    "every object in the bucket is read",
    "{value:,.0f} objects are not read{what}",
    r"""
    with endings as (
        select
            coalesce(nullif(regexp_extract(lower(object_key), '\.[^./]{1,20}$'), ''), 'without an ending') as ending,
            count(*) as objects
        from unread_objects
        where reason in ('name', 'odd_key')
        group by ending
    ),
    more as (
        select sum(cast(replace(regexp_extract(detail, '^[0-9,]+'), ',', '') as bigint)) as objects
        from unread_objects
        where reason = 'not_listed'
    )
    select
        '*' as site_id,
        '' as camera_id,
        $last as day,
        coalesce(sum(endings.objects), 0) + coalesce(any_value(more.objects), 0) as value,
        0 as size,
        coalesce(': ' || string_agg(endings.objects || ' ' || ending, ', ' order by endings.objects desc, ending), '')
            as what
    from more
    left join endings on true
    """,
    is_strong=False,
    by_landing=True,
)

UNREGISTERED = CountCheck(
    "every_worker_and_station_is_registered",
    "unregistered_ids",
    "warning",
    ("worker_shifts", "workstation_shifts"),
    0.05,
    20,
    "{value:.1%} of the shifts of workers and stations are of ids that no registry lists; {highest:.0%} is the limit",
    "{value:.1%} of the shifts of workers and stations are of ids that no registry lists, more than {highest:.0%}",
    """
    with shifts as (
        select site_id, shift_date, is_registered from worker_shifts
        union all
        select site_id, shift_date, is_registered from workstation_shifts
    ),
    listed as (select site_id from shifts group by site_id having bool_or(is_registered))
    select
        site_id, '' as camera_id, shift_date as day,
        count(*) filter (where not is_registered) / count(*) as value,
        count(*) as size
    from shifts
    where site_id in (select site_id from listed)
    group by all
    """,
    is_strong=False,
)

# The share of duplicates among all stored events, from counts alone. Sums of landed_objects would also count what
# retention and erasure have removed.
DUPLICATES = CountCheck(
    "few_records_are_duplicates",
    "duplicate_share",
    "warning",
    ("worker_shifts",),
    0.30,
    1000,
    "{value:.1%} of all accepted events are duplicates; {highest:.0%} is the limit",
    "{value:.1%} of all accepted events are duplicates, more than {highest:.0%}: a sender sends events again",
    """
    with landed as (select count(*) as accepted from raw.events),
    kept as (select sum(event_count) as events from worker_shifts)
    select '*' as site_id, '' as camera_id, $last as day, 1 - events / accepted as value, accepted as size
    from landed, kept
    where accepted >= events
    """,
    by_landing=True,
)

# Events with a future date count for the day of the newest landing.
CLOCK = CountCheck(
    "no_camera_is_ahead_of_the_clock",
    "clock_offset",
    "warning",
    ("camera_days",),
    120,
    20,
    "no event of it landed more than {highest:.0f} s before its time",
    "its clock runs at least {value:.0f} s ahead: it sent events before their time",
    """
    select
        site_id, camera_id, least(event_date, $last::date) as day,
        max(clock_offset_seconds) as value,
        sum(event_count) as size
    from camera_days
    where clock_offset_seconds is not null
    group by all
    """,
    by_landing=True,
)

# A count looks like a running total if it rises at least this many times for each fall. A running total falls only when
# the counter starts again; a count since the last report falls about as often as it rises.
_RISES = 10

RUNNING_TOTALS = CountCheck(
    "no_count_looks_like_a_running_total",
    "running_total",
    "warning",
    ("camera_days",),
    0,
    20,
    "its counts rise and fall, as those of what was made since the last report do",
    "at {value:.0f} of its stations the counts rise through the day and hardly ever fall, as a running total does: "
    "count is what was made since the last report, and a counter's reading is count_total",
    f"""
    select
        site_id, camera_id, event_date as day,
        count(*) filter (where rise_count >= {_RISES} * greatest(fall_count, 1)) as value,
        sum(record_count) as size
    from handover.int_count_days
    where not is_reading
    group by all
    """,
)

# Two views of one scene: at least so many events of a day that another camera reported too, so large a share of the
# less busy camera's, and so many standard deviations (of a Poisson count) more than chance makes.
_DOUBLES, _DOUBLE_SHARE, _DEVIATIONS = 20, 0.20, 5

DOUBLE_VIEWS = CountCheck(
    "no_two_cameras_report_one_scene",
    "double_views",
    "warning",
    ("camera_pairs",),
    _DOUBLE_SHARE,
    _DOUBLES,
    "no other camera reports what it reports",
    "another camera reports what it reports{what}. Units count twice, and states depend on their order, until "
    "registry/cameras.csv says which camera counts at the station",
    f"""
    with judged as (
        select
            *,
            near_duplicates >= {_DOUBLES}
                and near_duplicates > {_DEVIATIONS} * sqrt(chance_pairs)
                and near_duplicate_share > {_DOUBLE_SHARE} as is_double
        from camera_pairs
    )
    select
        site_id, camera_id, event_date as day,
        coalesce(max(near_duplicate_share) filter (where is_double), 0) as value,
        max(least(event_count, other_event_count)) as size,
        coalesce(string_agg(
            format(
                ': {{}} % of the {{}} at station {{}}, by camera {{}} {{:.1f}} s {{}}',
                round(100 * near_duplicate_share)::int, kind, workstation_id, other_camera_id, abs(offset_seconds),
                if(offset_seconds < 0, 'earlier', 'later')
            ),
            '' order by near_duplicates desc, workstation_id, other_camera_id, kind
        ) filter (where is_double), '') as what
    from judged
    group by all
    """,
)

COARSE_CLOCKS = CountCheck(
    "no_clock_is_too_coarse_for_its_line",
    "coarse_clock",
    "warning",
    ("camera_days",),
    0.05,
    20,
    "its clock tells its counts apart",
    "{value:.0%} of its counts stand in one second with another one of the same object and count as one of them: its "
    "clock shows whole seconds, too coarse for its line. Fractions of a second, or an event_id for each product, tell "
    "products apart",
    """
    select
        site_id, camera_id, event_date as day,
        sum(case when is_whole_seconds then repeat_count else 0 end) / sum(record_count + repeat_count) as value,
        sum(record_count + repeat_count) as size
    from handover.int_count_days
    where not is_reading
    group by all
    """,
)

FALLING_COUNTERS = CountCheck(
    "every_counter_only_grows",
    "counter_falls",
    "warning",
    ("camera_days",),
    2,
    3,
    "none of its counters fell more than {highest:.0f} times in the day",
    "one of its counters fell {value:.0f} times in a day: two machines may share the camera's id",
    """
    select site_id, camera_id, event_date as day, max(fall_count) as value, sum(record_count) as size
    from handover.int_count_days
    where is_reading
    group by all
    """,
)

JUMPING_COUNTERS = CountCheck(
    "no_counter_jumps",
    "counter_jumps",
    "warning",
    ("camera_days",),
    100,
    5,
    "none of its counters jumped by more than {highest:.0f} times what is usual",
    "one of its counters jumped by {value:.0f} times what is usual: another machine's reading, or a wrong one",
    """
    select
        site_id, camera_id, event_date as day,
        max(most_units / nullif(usual_units, 0)) as value,
        sum(record_count) as size
    from handover.int_count_days
    where is_reading
    group by all
    """,
)

# A share of its own events: a camera that lost its workers' ids sends station events, which no worker's figure has.
STATION_SHARE = CountCheck(
    "no_camera_begins_or_ceases_to_name_workers",
    "station_share",
    "warning",
    ("camera_days",),
    0.10,
    100,
    "{what} of its events name no worker, about as many as in the four weeks before",
    "{what} of its events name no worker: ids are lost, or new; they count for stations alone",
    """
    with summed as (
        select
            site_id, camera_id, event_date as day, event_count, station_events,
            sum(event_count) over before as events_before,
            sum(station_events) over before as station_events_before
        from camera_days
        where event_count > 0 and station_events is not null
        window before as (
            partition by site_id, camera_id order by event_date
            range between interval 28 days preceding and interval 1 day preceding
        )
    ),
    shares as (
        select
            *, station_events / event_count as share, station_events_before / events_before as share_before
        from summed
    )
    select
        site_id, camera_id, day,
        abs(share - share_before) as value,
        least(event_count, coalesce(events_before, 0)) as size,
        printf('%.1f %% (before: %.1f %%)', 100 * share, 100 * coalesce(share_before, 0)) as what
    from shares
    """,
    is_strong=False,
)

COUNT_CHECKS = (
    REJECTED,
    UNREAD,
    UNREGISTERED,
    DUPLICATES,
    CLOCK,
    RUNNING_TOTALS,
    DOUBLE_VIEWS,
    COARSE_CLOCKS,
    FALLING_COUNTERS,
    JUMPING_COUNTERS,
    STATION_SHARE,
)
# The suites cover these with rules of their own; a divergence has no significance and opens no incident.
INTEGRITY, DIVERGENCE = "integrity", "event_mix_divergence"
LANDING_METRICS = {
    INTEGRITY,
    DIVERGENCE,
    look_alikes.METRIC,
    old_events.METRIC,
    *(check.metric for check in COUNT_CHECKS if check.by_landing),
}


def landing_count_results(connection: duckdb.DuckDBPyConnection, first: date, last: date) -> Iterator[DayResult]:
    """The results of checks by landing for the UTC days of landing from `first` to `last`."""
    return _results(connection, [check for check in COUNT_CHECKS if check.by_landing], first, last)


def day_count_results(connection: duckdb.DuckDBPyConnection, first: date, last: date) -> Iterator[DayResult]:
    """The results of checks by event date from `first` to `last`. A check whose mart does not exist is left out."""
    return _results(connection, [check for check in COUNT_CHECKS if not check.by_landing], first, last)


def _results(
    connection: duckdb.DuckDBPyConnection, checks: Sequence[CountCheck], first: date, last: date
) -> Iterator[DayResult]:
    found = connection.execute("select table_name from duckdb_tables() where schema_name = 'marts'").fetchall()
    present = {str(name) for (name,) in found}
    for check in checks:
        if not present.issuperset(check.marts):
            continue
        query = f"select * from ({check.query}) where day between $first and $last order by all"
        rows = connection.execute(query, {"first": first, "last": last}).fetchall()
        for site, camera, day, value, size, *what in rows:
            yield _result(check, Cell(site, camera), day, value, int(size), "".join(what))


_BAD: dict[Severity, str] = {"critical": "fail", "warning": "warn"}


def _result(check: CountCheck, cell: Cell, day: date, value: float | None, size: int, what: str) -> DayResult:
    judged = value is not None and size >= check.smallest_sample
    bad = judged and value is not None and value > check.highest
    words = check.warning if bad else check.words
    said = words.format(value=value, highest=check.highest, what=what) if judged else "too little to judge"
    name = cell.name
    return DayResult(
        evidence_date=day,
        check_name=check.name,
        metric=check.metric,
        cell=cell,
        status=(_BAD[check.severity] if bad else "pass") if judged else "insufficient_data",
        severity=check.severity,
        observed=value,
        threshold=check.highest,
        sample_size=size,
        effect=None if value is None else value - check.highest,
        p_value=None,
        sentence=f"{name[0].upper()}{name[1:]}: {said}.",
        is_strong=bad and check.is_strong,
    )
