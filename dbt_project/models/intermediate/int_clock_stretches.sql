{{ config(database="scratch", materialized="view") }}

with affected_windows as (

    select * from {{ ref('int_affected_windows') }}

),

segments as (

    select
        *,
        {{ utc_date('started_at') }} as started_on

    from {{ ref('int_window_segments') }}

    where is_owner

),

segment_dates as (
    {{ on_each_date('segments') }}
),

stretches as (

    select
        site_id,
        shift_date,
        shift_id,
        worker_id,
        workstation_id,
        state as kind,
        started_at,
        ended_at,
        hour_shift,
        is_plain

    from {{ ref('int_state_intervals') }}

    where microseconds > 0

    union all

    select
        site_id,
        shift_date,
        shift_id,
        worker_id,
        workstation_id,
        'observed' as kind,
        started_at,
        ended_at,
        hour_shift,
        is_plain

    from {{ ref('int_vouched_time') }}

),

cut_stretches as (

    select
        *,
        {{ utc_date('started_at') }} as started_on

    from stretches

    where not is_plain

),

dates as (
    {{ on_each_date('cut_stretches') }}
),

-- In most windows the windows of persons and of the clock agree. Where windows overlap, or hours shift, stretches are
-- cut at the clock's segments.
by_the_clock as (

    select
        site_id,
        shift_date,
        shift_id,
        worker_id,
        workstation_id,
        kind,
        started_at,
        ended_at,
        hour_shift,
        is_plain

    from stretches

    where is_plain

    union all

    select
        dates.site_id,
        segment_dates.shift_date,
        segment_dates.shift_id,
        dates.worker_id,
        dates.workstation_id,
        dates.kind,
        greatest(dates.started_at, segment_dates.started_at) as started_at,
        least(dates.ended_at, segment_dates.ended_at) as ended_at,
        segment_dates.hour_shift,
        dates.is_plain

    from dates

    inner join segment_dates
        on dates.site_id = segment_dates.site_id
        and dates.covered_on = segment_dates.covered_on
        and (dates.covered_on = dates.started_on or dates.covered_on = segment_dates.started_on)
        and dates.started_at < segment_dates.ended_at
        and dates.ended_at > segment_dates.started_at

)

select by_the_clock.*
from by_the_clock
inner join affected_windows
    on by_the_clock.site_id = affected_windows.site_id
    and by_the_clock.shift_date = affected_windows.shift_date
    and by_the_clock.shift_id = affected_windows.shift_id
