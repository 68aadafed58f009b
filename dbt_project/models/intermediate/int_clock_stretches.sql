{{ config(database="scratch", materialized="view") }}

with affected_windows as (

    select * from {{ ref('int_affected_windows') }}

),

segments as (

    select
        *,
        {{ utc_date('started_at') }} as started_on

    from {{ ref('int_segment_dates') }}

    where is_owner

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

numbers as (
    {{ numbers(2) }}
),

dates as (

    select
        stretches.*,
        cast({{ utc_date('stretches.started_at') }} + numbers.number * interval 1 day as date) as covered_on,
        numbers.number = 0 as is_first_date

    from stretches

    inner join numbers
        on {{ utc_date('stretches.started_at') }} + numbers.number * interval 1 day
        <= {{ utc_date('stretches.ended_at') }}

    where not stretches.is_plain

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
        segments.shift_date,
        segments.shift_id,
        dates.worker_id,
        dates.workstation_id,
        dates.kind,
        greatest(dates.started_at, segments.started_at) as started_at,
        least(dates.ended_at, segments.ended_at) as ended_at,
        segments.hour_shift,
        dates.is_plain

    from dates

    inner join segments
        on dates.site_id = segments.site_id
        and dates.covered_on = segments.covered_on
        and (dates.is_first_date or dates.covered_on = segments.started_on)
        and dates.started_at < segments.ended_at
        and dates.ended_at > segments.started_at

)

select by_the_clock.*
from by_the_clock
inner join affected_windows
    on by_the_clock.site_id = affected_windows.site_id
    and by_the_clock.shift_date = affected_windows.shift_date
    and by_the_clock.shift_id = affected_windows.shift_id
