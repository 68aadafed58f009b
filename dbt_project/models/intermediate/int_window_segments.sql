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

boundaries as (

    select
        site_id,
        boundary_at
    from midnights

    union

    select
        site_id,
        started_at as boundary_at
    from shift_windows

    union

    select
        site_id,
        ended_at as boundary_at
    from shift_windows

),

pieces as (

    select
        site_id,
        boundary_at as started_at,
        lead(boundary_at) over (partition by site_id order by boundary_at) as ended_at

    from boundaries

),

-- A true piece lies between two midnights. Longer ones span days without events, whose boundaries were not made.
segments as (

    select
        site_id,
        started_at,
        ended_at,
        {{ utc_date('started_at') }} as started_on

    from pieces

    where {{ microseconds_between('started_at', 'ended_at') }} <= 30 * 3600000000

),

numbers as (
    {{ numbers(2) }}
),

-- By UTC date, so that the search for a segment's windows is an equality join.
window_dates as (

    select
        shift_windows.*,
        cast({{ utc_date('shift_windows.started_at') }} + numbers.number * interval 1 day as date) as covered_on

    from shift_windows

    inner join numbers
        on {{ utc_date('shift_windows.started_at') }} + numbers.number * interval 1 day
        <= {{ utc_date('shift_windows.ended_at') }}

),

candidates as (

    select
        segments.site_id,
        segments.started_at,
        segments.ended_at,
        window_dates.shift_date,
        window_dates.shift_id,
        window_dates.started_at as window_started_at,
        window_dates.ended_at as window_ended_at,
        -- Where windows overlap, time belongs to the one that started last, then to the smaller shift_id.
        row_number() over (
            partition by segments.site_id, segments.started_at
            order by window_dates.started_at desc, window_dates.shift_id asc, window_dates.shift_date desc
        ) as owner_rank

    from segments

    left join window_dates
        on segments.site_id = window_dates.site_id
        and segments.started_on = window_dates.covered_on
        and segments.started_at >= window_dates.started_at
        and segments.started_at < window_dates.ended_at

),

timezones as (

    select distinct
        site_id,
        timezone

    from site_days

)

select
    candidates.site_id,
    candidates.started_at,
    candidates.ended_at,
    coalesce(
        candidates.shift_date, cast({{ to_local('candidates.started_at', 'timezones.timezone') }} as date)
    ) as shift_date,
    coalesce(candidates.shift_id, 'unscheduled') as shift_id,
    -- A gap between windows is a window of its own for the intervals in it.
    coalesce(candidates.window_started_at, candidates.started_at) as window_started_at,
    coalesce(candidates.window_ended_at, candidates.ended_at) as window_ended_at
from candidates
inner join timezones
    on candidates.site_id = timezones.site_id
where candidates.owner_rank = 1
