"""A small, invented plant as published marts: the contract's files with its columns and types, and consistent sums.

States last ten minutes and are drawn from a hash, so every call returns the same plant. No rule of the contract is
tested here. The plant only has to look like a published one, and has names that break careless pages.
"""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from ingestion.settings import Settings
from orchestration.declared_marts import all_descriptions, all_marts
from publishing.plant_file import write_plant_file

# A registry or a camera may really send these: quotes, slashes, non-ASCII letters, an id that no registry lists.
ODD_WORKER = "W'7/7 é%"
UNREGISTERED_WORKER = "W99"
PUBLISHED_AT = datetime(2026, 3, 1, 0, 0, tzinfo=UTC)

_SQL = """
create table sites as
    select site_id, timezone, site_name,
        least(timestamptz '2026-03-01 04:50:00+00', $as_of::timestamptz) as last_event_at
    from (values ('north', 'Europe/Berlin', 'North plant'), ('south', 'America/Chicago', 'South plant'))
        as sites(site_id, timezone, site_name);
create table workers as
    select
        site_id,
        case number when 3 then $odd when 4 then $unregistered
            else 'W' || lpad(number::varchar, 2, '0') end as worker_id,
        case number when 3 then 'Operator "7" o''clock' when 4 then worker_id
            else 'Person ' || upper(left(site_id, 1)) || lpad(number::varchar, 2, '0') end as worker_name,
        number <> 4 as is_registered,
        if(number % 2 = 1, 'day', 'evening') as shift_id,
        number
    from sites, range(1, $workers + 1) as numbers(number);
create table stations as
    select
        site_id, 'S' || number as workstation_id,
        if(number = 4, 'S4', ['Cutting', 'Welding', 'Painting', 'Packing', 'Assembly', 'Inspection'][1 + number % 6]
            || ' ' || number) as workstation_name,
        if(number = 4, null, ['saw', 'robot', 'booth', 'line', 'bench', 'bench'][1 + number % 6]) as station_type,
        number <> 4 as is_registered, number
    from sites, range(1, $stations + 1) as numbers(number);
create table windows as
    select
        site_id, shift_id, day::date as shift_date,
        timezone(timezone, day::timestamp + start_hour * interval 1 hour) as started_at,
        28800.0 as scheduled_seconds
    from sites, generate_series($first::timestamp, $last::timestamp, interval 1 day) as days(day),
        (values ('day', 6), ('evening', 14)) as shifts(shift_id, start_hour);
create table shift_windows as
    select site_id, shift_date, shift_id, started_at, started_at + interval 8 hour as ended_at,
        started_at + interval 10 hour <= $as_of::timestamptz as is_complete,
        bool_and(started_at + interval 10 hour <= $as_of::timestamptz) over (partition by site_id, shift_date)
            as is_day_complete
    from windows;
create table windows_so_far as
    select *, greatest(least(date_diff('second', started_at, $as_of::timestamptz) / 3600, 8), 0) as hours_so_far
    from windows;
create table segments as
    select
        windows.*, workers.* exclude (site_id, shift_id, number), part,
        windows.started_at + part * interval 10 minute as segment_at,
        hash(windows.site_id, worker_id, shift_date, part) % 100 as draw,
        'S' || (1 + (workers.number + part // 24) % $stations) as workstation_id
    from windows join workers using (site_id, shift_id), range(48) as parts(part)
    where hash(shift_date, worker_id, windows.site_id) % 10 > 0 and segment_at < $as_of::timestamptz;
create table state_intervals as
    select
        site_id, shift_date, shift_id, worker_id, workstation_id,
        case when draw < 70 then 'working' when draw < 88 then 'idle' else 'absent' end as state,
        segment_at as started_at, segment_at + interval 10 minute as ended_at, 600.0::double as seconds,
        if(part = 47, 'window_end', 'next_event') as end_reason, (0.5 + draw / 200)::double as confidence
    from segments;
create table observed_intervals as
    select
        site_id, shift_date, shift_id, worker_id, workstation_id, started_at, ended_at - interval 3 minute as ended_at,
        420.0::double as seconds
    from state_intervals where workstation_id = 'S2'
    union all
    select site_id, shift_date, shift_id, worker_id, workstation_id, started_at, ended_at, seconds
    from state_intervals where workstation_id <> 'S2';
create table product_counts as
    select * exclude (draw), (1 + draw % 5)::bigint as units from segments where draw < 50;
create table worker_shifts as
    with state_time as (
        select
            site_id, shift_date, shift_id, worker_id,
            coalesce(sum(seconds) filter (where state = 'working'), 0)::double as active_seconds,
            coalesce(sum(seconds) filter (where state = 'idle'), 0)::double as idle_seconds,
            coalesce(sum(seconds) filter (where state = 'absent'), 0)::double as absent_seconds, count(*) as states
        from state_intervals group by all
    ), counted as (
        select site_id, shift_date, shift_id, worker_id, sum(units)::bigint as units, count(*) as counts
        from product_counts group by all
    )
    select
        site_id, shift_date, shift_id, worker_id, worker_name, is_registered,
        active_seconds, idle_seconds, absent_seconds,
        active_seconds + idle_seconds as present_seconds, present_seconds + absent_seconds as tracked_seconds,
        28800.0::double as scheduled_seconds, tracked_seconds - 600 as observed_seconds,
        active_seconds / nullif(present_seconds, 0) as utilization,
        present_seconds / nullif(tracked_seconds, 0) as attendance,
        active_seconds / 28800.0::double as shift_utilization,
        coalesce(counted.units, 0)::bigint as units,
        3600 * coalesce(counted.units, 0)::double / nullif(active_seconds, 0) as units_per_active_hour,
        3600 * coalesce(counted.units, 0)::double / nullif(present_seconds, 0) as units_per_present_hour,
        (states + coalesce(counts, 0))::bigint as event_count
    from state_time join (select * exclude (shift_id, number) from workers) using (site_id, worker_id)
    left join counted using (site_id, shift_date, shift_id, worker_id);
create table workstation_shifts as
    with station_time as (
        select
            site_id, shift_date, shift_id, workstation_id,
            coalesce(sum(seconds) filter (where state = 'working'), 0)::double as working_seconds,
            coalesce(sum(seconds) filter (where state = 'idle'), 0)::double as idle_seconds,
            (600 * count(distinct started_at) filter (where state <> 'absent'))::double as staffed_seconds,
            count(distinct worker_id) as worker_count
        from state_intervals group by all
    ), counted as (
        select site_id, shift_date, shift_id, workstation_id, sum(units)::bigint as units
        from product_counts group by all
    )
    select
        site_id, shift_date, shift_id, workstation_id, workstation_name, station_type, is_registered, working_seconds,
        idle_seconds, working_seconds + idle_seconds as occupancy_seconds, staffed_seconds,
        working_seconds / nullif(occupancy_seconds, 0) as utilization, coalesce(counted.units, 0)::bigint as units,
        3600 * coalesce(counted.units, 0)::double / nullif(occupancy_seconds, 0) as throughput_per_hour, worker_count,
        'Line ' || site_id as line, staffed_seconds * if(workstation_id = 'S2', 0.5, 1) as observed_seconds,
        observed_seconds / 28800 as coverage, if(workstation_id = 'S1', 200.0, null)::double as target_units,
        target_units * hours_so_far / 8 as target_units_so_far
    from station_time join (select * exclude (number) from stations) using (site_id, workstation_id)
    join (select site_id, shift_date, shift_id, hours_so_far from windows_so_far) using (site_id, shift_date, shift_id)
    left join counted using (site_id, shift_date, shift_id, workstation_id);
create table station_targets as
    with wanted as (
        select * from (values ('S1', 25.0), ('S9', 10.0)) as targets(workstation_id, target_units_per_hour),
            windows_so_far
    ), clock as (
        select
            site_id, shift_date, shift_id, workstation_id, started_at, bool_or(state = 'working') as is_working,
            bool_or(state = 'idle') as is_idle
        from state_intervals group by all
    ), spent as (
        select
            site_id, shift_date, shift_id, workstation_id, 600.0 * count(*) filter (where is_working) as working,
            600.0 * count(*) filter (where is_idle and not is_working) as idle
        from clock group by all
    )
    select
        wanted.site_id, wanted.shift_date, wanted.shift_id, wanted.workstation_id,
        coalesce(workstation_name, 'Press 9') as workstation_name, station_type, 'Line ' || wanted.site_id as line,
        true as is_registered, 28800.0 as scheduled_seconds, target_units_per_hour::double as target_units_per_hour,
        (8 * target_units_per_hour)::double as target_units,
        (hours_so_far * target_units_per_hour)::double as target_units_so_far,
        coalesce(units, 0)::bigint as units, coalesce(staffed_seconds, 0)::double as staffed_seconds,
        coalesce(observed_seconds, 0)::double as observed_seconds, coalesce(coverage, 0)::double as coverage,
        coalesce(units, 0) / nullif(hours_so_far * target_units_per_hour, 0) as attainment,
        coalesce(working, 0)::double as working_seconds, coalesce(idle, 0)::double as idle_seconds,
        if(wanted.workstation_id = 'S9', 600, 0)::double as not_seen_seconds,
        greatest(3600 * hours_so_far - coalesce(working, 0) - coalesce(idle, 0) - not_seen_seconds, 0)::double
            as unstaffed_seconds
    from wanted left join workstation_shifts using (site_id, shift_date, shift_id, workstation_id)
    left join spent using (site_id, shift_date, shift_id, workstation_id);
create table site_shifts as
    select
        site_id, shift_date, shift_id, sum(active_seconds)::double as productive_seconds, sum(units)::bigint as units,
        3600 * sum(units)::double / nullif(sum(active_seconds), 0) as units_per_productive_hour,
        avg(utilization) as average_utilization, count(*)::bigint as worker_count,
        (select count(distinct workstation_id) from workstation_shifts
         where workstation_shifts.site_id = worker_shifts.site_id
           and workstation_shifts.shift_id = worker_shifts.shift_id
           and workstation_shifts.shift_date = worker_shifts.shift_date)::bigint as workstation_count
    from worker_shifts group by all;
create table hourly_output as
    with parts as (
        select
            site_id, workstation_id, date_trunc('hour', started_at) as hour, shift_date, shift_id, state, seconds,
            started_at
        from state_intervals
    ), counted as (
        select
            site_id, workstation_id, date_trunc('hour', segment_at) as hour, shift_date, shift_id, sum(units) as units
        from product_counts group by all
    )
    , hours as (
        select
            site_id, workstation_id, hour, shift_date, shift_id, coalesce(any_value(counted.units), 0)::bigint as units,
            coalesce(sum(seconds) filter (where state = 'working'), 0)::double as working_seconds,
            coalesce(sum(seconds) filter (where state = 'idle'), 0)::double as idle_seconds,
            (600 * count(distinct started_at) filter (where state <> 'absent'))::double as staffed_seconds
        from parts left join counted using (site_id, workstation_id, hour, shift_date, shift_id) group by all
    )
    select
        *, if(workstation_id = 'S1', 25.0, null)::double as target_units,
        target_units * greatest(least(date_diff('second', hour, $as_of::timestamptz) / 3600, 1), 0)
            as target_units_so_far,
        staffed_seconds * if(workstation_id = 'S2', 0.5, 1)::double as observed_seconds,
        observed_seconds / 3600 as coverage
    from hours;
create table count_agreement as
    select
        site_id, shift_date, shift_id, workstation_id, workstation_name, units,
        (units + 3 + hash(shift_date) % 5)::bigint as booked_units, units - booked_units as difference,
        units / booked_units as counted_share, 20::bigint as shift_count,
        case workstation_id when 'S1' then 0.93 when 'S2' then 1.01 else 0.99 end::double as recent_share,
        recent_share - 0.01 as recent_share_low, recent_share + 0.01 as recent_share_high,
        case workstation_id when 'S1' then 'counts too few' when 'S2' then 'agrees' else 'not yet known' end as verdict,
        if(workstation_id > 'S2', 4, 0)::bigint as shifts_needed
    from workstation_shifts where shift_id <> 'unscheduled' and workstation_id in ('S1', 'S2', 'S3');
create table station_releases as
    select distinct
        site_id, workstation_id, workstation_id <> 'S3' as is_released,
        case when workstation_id <> 'S3' then 'Line lead' end as released_by
    from workstation_shifts where site_id = 'north';
create table model_days as
    select
        site_id, cast(started_at at time zone 'UTC' as date) as event_date,
        site_id || '-cam' || (1 + hash(workstation_id) % 3) as camera_id, 'floor-vision' as model_name,
        if(event_date - $first::date < 20, '1.4', '1.5') as model_version, count(*) as event_count,
        avg(confidence) as mean_confidence, quantile_cont(confidence, 0.05) as p05_confidence,
        count(*) filter (where state = 'working') as working_events,
        count(*) filter (where state = 'idle') as idle_events,
        count(*) filter (where state = 'absent') as absent_events, 0::bigint as product_count_events
    from state_intervals group by all;
create table landed_objects as
    select
        'events/site_id=' || site_id || '/' || shift_date || '-' || shift_id || '.jsonl' as object_key,
        md5(object_key) as etag, (count(*) * 250)::bigint as bytes, count(*) + 2 as records, count(*) as accepted,
        2::bigint as rejected, if(shift_id = 'day', ['helmet', 'zone'], []::varchar[]) as unexpected_fields,
        least(max(segment_at) + interval 1 hour, $as_of::timestamptz) as landed_at, null::varchar as mapping,
        count(*) + 2 as source_records, 0::bigint as skipped_records
    from segments group by site_id, shift_date, shift_id;
create table rejected_records as
    select
        object_key, etag, position, 1::bigint as part, ['bad_timestamp', 'confidence_out_of_range'][position] as reason,
        ['timestamp ''yesterday'' is not ISO 8601', 'confidence 1.7 is above 1'][position] as detail,
        ['{"timestamp": "yesterday"}', '{"confidence": 1.7}'][position] as payload, landed_at as rejected_at,
        null::timestamptz as superseded_at
    from landed_objects, range(1::bigint, 3::bigint) as positions(position);
create table unread_objects as
    select
        'events/cam9/log.txt' as object_key, 'name' as reason, 'Not read, as its name says so.' as detail,
        1200::bigint as bytes, timestamptz '2026-02-28 12:00:00+00' as modified_at;
create table unexpected_fields as
    select
        'north' as site_id, unnest(['helmet', 'zone']) as field, min(landed_at) as first_seen_at,
        max(landed_at) as last_seen_at, count(*) as object_count, 2::bigint as camera_count
    from landed_objects where len(unexpected_fields) > 0;
create table registry_changes as
    select
        '*' as site_id, 'shifts.csv' as file, 3::bigint as line_count,
        timestamptz '2026-02-20 08:00:00+00' as in_force_since, 'Changed: day 06:00 → 07:00.' as change,
        12::bigint as shift_dates_recomputed;
create table incidents as
    select
        'north' as site_id, 'incident-1' as incident_id, 'mean_confidence' as metric, 'north-cam1' as cell,
        null::varchar as model_version, timestamptz '2026-02-28 12:00:00+00' as opened_at,
        null::timestamptz as closed_at, date '2026-02-26' as first_evidence_date,
        date '2026-02-27' as last_evidence_date, 'critical' as severity,
        'open' as status, 'mean confidence 0.71 is under the floor 0.85' as sentence,
        null::varchar as closing_sentence, null::varchar as ending, null::varchar as accepted_by;
create table camera_days as
    select
        site_id, event_date, camera_id, sum(event_count)::bigint as event_count,
        timestamptz '2026-03-01 04:50:00+00' - if(camera_id = 'south-cam3', 5, 0) * interval 1 hour as last_event_at,
        28800.0::double as scheduled_seconds, (28800 - hash(camera_id) % 9000)::double as covered_seconds,
        1800.0::double as longest_silence_seconds, 2::bigint as late_events, 60.0::double as p95_lateness_seconds,
        0.5::double as clock_offset_seconds
    from model_days group by all;
create table camera_pairs as
    select
        site_id, event_date, site_id || '-s1' as workstation_id, min(camera_id) as camera_id,
        max(camera_id) as other_camera_id, 'counts' as kind, 40::bigint as event_count, 38::bigint as other_event_count,
        0::bigint as near_duplicates, 3::bigint as chance_pairs, 0.0::double as near_duplicate_share,
        1.5::double as offset_seconds
    from model_days group by site_id, event_date having min(camera_id) <> max(camera_id);
create table check_results as
    select distinct
        site_id, event_date as evidence_date, 'event_mix_is_near_its_baseline' as check_name,
        'event_mix_baseline' as metric, site_id as cell, if(site_id = 'north', 'warn', 'pass') as status,
        'warning' as severity, if(site_id = 'north', 0.21, 0.04)::double as observed, 0.15::double as threshold,
        900::bigint as sample_size, null::double as effect, 'the mix of ' || site_id as sentence
    from model_days;
create table label_accuracy as
    select
        site_id, model_name, model_version, state as event_type, date_trunc('week', event_date) as week_started_on,
        100::bigint as labelled_events, (80 + hash(site_id, state, week_started_on) % 20)::bigint as correct_events,
        3::bigint as disputed_events, 2::bigint as hand_picked_events,
        correct_events / 100.0::double as accuracy, null::double as accuracy_low,
        null::double as accuracy_high
    from model_days, (values ('working'), ('idle')) as states(state) group by all;
create table label_confidence as
    with weighed as (
        select *, 50 - 4 * number as bin, unnest([event_type, if(event_type = 'idle', 'working', 'idle')]) as seen
        from label_accuracy, range(5) as numbers(number)
    )
    select
        site_id, model_name, model_version, event_type, seen as true_event_type, week_started_on,
        (bin - 1)::integer as bin,
        if(seen = event_type, correct_events // 5, (labelled_events - correct_events) // 5)::bigint as labelled_events
    from weighed where labelled_events > 0;
create table confidence_histograms as
    select
        site_id, event_date, camera_id, model_name, model_version, bins.bin::integer as bin,
        1 + event_count * (50 - bins.bin) // 200 as event_count
    from model_days, range(38, 50) as bins(bin);
create table contacts as
    select * from (values
        ('*', null, null, null, 'Shift lead', '100'),
        ('*', null, null, 'unstaffed', 'Staffing desk', '120'),
        ('north', 'Line north', null, 'slow', 'Maintenance', '+49 30 131')
    ) as contacts(site_id, line, workstation_id, cause, name, phone);
create table model_verdicts as
    select
        'north' as site_id, 'floor-vision' as model_name, '1.4' as earlier_version, '1.5' as later_version,
        'accuracy' as metric, 0.91::double as earlier_value, 0.87::double as later_value,
        'later_is_worse' as verdict, null::bigint as more_needed, '1.5 is worse than 1.4' as sentence;
create table labelled_events as
    select site_id, md5(worker_id || started_at) as event_key, hash(started_at) % 7 = 0 as is_disputed
    from state_intervals where hash(worker_id, started_at) % 100 = 0 and hash(started_at) % 2 = 0;
create table review_queue as
    select
        site_id, md5(worker_id || started_at) as event_key, started_at as timestamp, worker_id, workstation_id,
        state as event_type, confidence, site_id || '-cam1' as camera_id, 'floor-vision' as model_name,
        '1.4' as model_version
    from state_intervals where hash(worker_id, started_at) % 100 = 0;
"""

MARTS = (
    "sites",
    "shift_windows",
    "state_intervals",
    "observed_intervals",
    "worker_shifts",
    "workstation_shifts",
    "station_targets",
    "count_agreement",
    "station_releases",
    "site_shifts",
    "hourly_output",
    "model_days",
    "camera_days",
    "camera_pairs",
    "check_results",
    "label_accuracy",
    "label_confidence",
    "confidence_histograms",
    "contacts",
    "model_verdicts",
    "landed_objects",
    "rejected_records",
    "labelled_events",
    "review_queue",
    "unexpected_fields",
    "unread_objects",
    "registry_changes",
    "incidents",
)


def publish_sample(settings: Settings, **size: int | bool) -> Path:
    """Publish a sample as a batch does: a new version's folder, then the link to it. Returns the folder."""
    versions = settings.data_dir / "published-versions"
    folder = versions / f"{len(list(versions.glob('*'))):020d}"
    write_published(folder, **size)  # type: ignore[arg-type]  # its keywords, passed on
    link = settings.data_dir / "published.new"
    link.symlink_to(folder.relative_to(settings.data_dir))
    link.replace(settings.published_path)
    return folder


def write_published(
    folder: Path,
    *,
    workers: int = 6,
    stations: int = 4,
    days: int = 3,
    is_empty: bool = False,
    is_running: bool = False,
) -> Path:
    """Write every mart of the contract to `folder` as Parquet and return the folder.

    Two sites, `workers` people and `stations` stations each, `days` shift dates up to the day before PUBLISHED_AT;
    `is_empty` keeps the columns and drops the rows, like a plant before its first event; `is_running` ends what
    landed at 23:00 UTC of the last date, three hours into the evening shift of the south.
    """
    folder.mkdir(parents=True, exist_ok=True)
    last = PUBLISHED_AT.date() - timedelta(days=1)
    values = {
        "odd": ODD_WORKER,
        "unregistered": UNREGISTERED_WORKER,
        "workers": workers,
        "stations": stations,
        "first": date.isoformat(last - timedelta(days=days - 1)),
        "last": last.isoformat(),
        "as_of": "2026-02-28 23:00:00+00" if is_running else "2026-03-01 06:00:00+00",
    }
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute("set threads = 1")  # so that means of doubles are equal in every call
        for statement in filter(str.strip, _SQL.split(";\n")):
            used = {name: value for name, value in values.items() if f"${name}" in statement}
            connection.execute(statement, used)
        for mart in MARTS:
            rows = f"(from {mart} where {not is_empty} order by all)"
            connection.execute(f"copy {rows} to '{folder / mart}.parquet' (format parquet)")
    there = [mart for mart in all_marts() if mart.name in MARTS]
    write_plant_file(folder, folder, folder, there, all_descriptions())
    return folder


def read_rows(query: str) -> list[tuple[Any, ...]]:
    """The rows of a query over Parquet files."""
    with duckdb.connect() as connection:
        return connection.execute(query).fetchall()
