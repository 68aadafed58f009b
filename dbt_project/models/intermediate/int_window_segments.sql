{{ config(tags=["calendar"]) }}

with site_days as (

    select * from {{ ref('int_site_days') }}

),

shift_windows as (

    select * from {{ ref('int_shift_windows') }}

),

midnights as (

    select
        site_id,
        timezone,
        {{ first_instant('cast(local_date as timestamp)', 'timezone') }} as boundary_at

    from site_days

),

shifted_midnights as (

    select
        *,
        lead(boundary_at) over (partition by site_id order by boundary_at) as next_midnight_at

    from midnights

),

-- Where the local clock's full hours shift against those of UTC (by half an hour, on Lord Howe), time is cut at that
-- minute.
changing_days as (

    select *
    from shifted_midnights
    where
        {{ microseconds_between('boundary_at', 'next_midnight_at') }} <= 30 * 3600000000
        and {{ hour_shift('boundary_at', 'timezone') }} <> {{ hour_shift('next_midnight_at', 'timezone') }}

),

sixties as (
    {{ numbers(59) }}
),

minutes as (

    select
        changing_days.site_id,
        changing_days.timezone,
        changing_days.boundary_at
        + hours.number * interval 1 hour + sixties.number * interval 1 minute as minute_at

    from changing_days

    cross join sixties as hours

    cross join sixties

    where
        hours.number * 60 + sixties.number
        <= {{ microseconds_between('changing_days.boundary_at', 'changing_days.next_midnight_at') }} / 60000000

),

changes_of_hours as (

    select
        site_id,
        minute_at as boundary_at
    from minutes
    where {{ hour_shift('minute_at', 'timezone') }} <> {{ hour_shift('minute_at - interval 1 minute', 'timezone') }}

),

boundaries as (

    select
        site_id,
        boundary_at,
        true as is_cut
    from midnights

    union

    select
        site_id,
        started_at as boundary_at,
        true as is_cut
    from shift_windows

    union

    select
        site_id,
        ended_at as boundary_at,
        true as is_cut
    from shift_windows

    union

    select
        site_id,
        boundary_at,
        false as is_cut
    from changes_of_hours

),

distinct_boundaries as (

    select
        site_id,
        boundary_at,
        bool_or(is_cut) as is_cut

    from boundaries

    group by site_id, boundary_at

),

pieces as (

    select
        site_id,
        boundary_at as started_at,
        lead(boundary_at) over (partition by site_id order by boundary_at) as ended_at,
        max(case when is_cut then boundary_at end) over (
            partition by site_id
            order by boundary_at
            rows between unbounded preceding and current row
        ) as cut_started_at,
        min(case when is_cut then boundary_at end) over (
            partition by site_id
            order by boundary_at
            rows between 1 following and unbounded following
        ) as cut_ended_at

    from distinct_boundaries

),

-- A valid segment lies between two midnights. Longer ones span days without events, which have no boundaries.
segments as (

    select
        *,
        {{ utc_date('started_at') }} as started_on

    from pieces

    where {{ microseconds_between('started_at', 'ended_at') }} <= 30 * 3600000000

),

window_dates as (
    {{ on_each_date('shift_windows') }}
),

timezones as (

    select distinct
        site_id,
        timezone

    from site_days

),

held as (

    select
        segments.site_id,
        segments.started_at,
        segments.ended_at,
        coalesce(
            window_dates.shift_date, cast({{ to_local('segments.started_at', 'timezones.timezone') }} as date)
        ) as shift_date,
        coalesce(window_dates.shift_id, 'unscheduled') as shift_id,
        -- A gap between windows is an unscheduled window for the intervals in it.
        coalesce(window_dates.started_at, segments.cut_started_at) as window_started_at,
        coalesce(window_dates.ended_at, segments.cut_ended_at) as window_ended_at,
        cast({{ hour_shift('segments.started_at', 'timezones.timezone') }} as bigint) as hour_shift

    from segments

    inner join timezones
        on segments.site_id = timezones.site_id

    left join window_dates
        on segments.site_id = window_dates.site_id
        and segments.started_on = window_dates.covered_on
        and segments.started_at >= window_dates.started_at
        and segments.started_at < window_dates.ended_at

),

ranked as (

    select
        *,
        -- By the clock, time belongs to the window that started last; of equal starts, to the smaller shift_id.
        row_number() over (
            partition by site_id, started_at
            order by window_started_at desc, shift_id asc, shift_date desc
        ) = 1 as is_owner,
        count(*) over (partition by site_id, started_at) > 1 as is_shared

    from held

)

select
    *,
    not bool_or(is_shared) over same_window
    and min(hour_shift) over same_window = max(hour_shift) over same_window as is_plain
from ranked
window same_window as (partition by site_id, shift_date, shift_id, window_started_at)
