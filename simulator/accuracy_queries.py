"""The SQL queries that compare published marts with the truth. `accuracy` describes the result.

DuckDB variables contain the file paths (timeline, units, windows, worker_shifts, workstation_shifts) and `until_ms`,
the instant up to which files arrived, or NULL.
"""

# The part of each true state in each window. If windows overlap, the time belongs to the one that started last.
OWNED = """
create temp table owned_windows as
select
    *,
    least(ended_at, coalesce(lead(started_at) over (partition by site_id order by started_at, shift_id), ended_at))
        as owned_until
from read_parquet(getvariable('windows'));

create temp table open_windows as
select site_id, shift_date, shift_id
from owned_windows
where epoch_ms(ended_at) + 3600000 > getvariable('until_ms');  -- an hour for files still on their way
delete from owned_windows where epoch_ms(ended_at) + 3600000 > getvariable('until_ms');

create temp table true_pieces as
select
    owned_windows.site_id, shift_date, shift_id, worker_id, workstation_id, state,
    epoch_us(least(timeline.ended_at, owned_until)) - epoch_us(greatest(timeline.started_at, owned_windows.started_at))
        as microseconds
from read_parquet(getvariable('timeline')) as timeline
inner join owned_windows
    on timeline.site_id = owned_windows.site_id
    and timeline.started_at < owned_until
    and timeline.ended_at > owned_windows.started_at;

create temp table true_units as
select owned_windows.site_id, shift_date, shift_id, worker_id, workstation_id, units
from read_parquet(getvariable('units')) as made
inner join owned_windows
    on made.site_id = owned_windows.site_id
    and made.made_at >= owned_windows.started_at
    and made.made_at < owned_until;
"""

COMPARED = """
create temp table compared_{subject} as
with true_time as (
    select
        site_id, shift_date, shift_id, {subject}_id,
        coalesce(sum(microseconds) filter (where state = 'working'), 0) / 1e6 as active_seconds,
        coalesce(sum(microseconds) filter (where state = 'idle'), 0) / 1e6 as idle_seconds
    from true_pieces
    group by all
),

true_output as (
    select site_id, shift_date, shift_id, {subject}_id, sum(units) as units from true_units group by all
),

truth as (
    select
        site_id, shift_date, shift_id, {subject}_id,
        coalesce(active_seconds, 0) as active_seconds,
        coalesce(units, 0)::double as units,
        active_seconds / nullif(active_seconds + idle_seconds, 0) as utilization
    from true_time
    full outer join true_output using (site_id, shift_date, shift_id, {subject}_id)
),

published as (
    select site_id, shift_date, shift_id, {subject}_id, {active} as active_seconds, units::double as units, utilization
    from read_parquet(getvariable('{mart}'))
    where shift_id <> 'unscheduled'
        and (site_id, shift_date, shift_id) not in (select (site_id, shift_date, shift_id) from open_windows)
)

select
    site_id, shift_date, shift_id, {subject}_id as subject_id,
    truth.site_id is null as only_published,
    published.site_id is null as only_true,
    truth.utilization as true_utilization,
    published.utilization as published_utilization,
    published.utilization - truth.utilization as utilization_error,
    coalesce(truth.active_seconds, 0) as true_active_seconds,
    coalesce(published.active_seconds, 0) as published_active_seconds,
    published_active_seconds - true_active_seconds as active_error,
    coalesce(published.units, 0) - coalesce(truth.units, 0) as units_error,
    coalesce(truth.units, 0) as true_units
from truth
full outer join published using (site_id, shift_date, shift_id, {subject}_id);
"""

PER_SITE = """
select
    coalesce(site_id, 'all sites'),
    count(*), count(*) filter (where only_true), count(*) filter (where only_published),
    avg(abs(utilization_error)), avg(utilization_error),
    avg(abs(active_error)), avg(active_error),
    avg(abs(units_error)), avg(units_error),
    sum(units_error) / nullif(sum(true_units), 0)
from compared_{subject}
group by grouping sets ((site_id), ())
order by grouping(site_id), site_id
"""

# Ordered by time, not by utilization: the utilization of ten minutes of overtime can be far off without mattering.
WORST = """
select
    site_id, shift_date::varchar, shift_id, subject_id,
    true_active_seconds, published_active_seconds, true_utilization, published_utilization
from compared_worker
order by abs(active_error) desc, site_id, shift_date, shift_id, subject_id
limit 1
"""
