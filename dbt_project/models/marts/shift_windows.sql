{{ config(materialized="replaced", tags=["whole"]) }}

with site_shifts as (

    select * from {{ ref('site_shifts') }}

),

windows as (

    select * from {{ ref('int_shift_windows') }}

),

sites as (

    select * from {{ ref('stg_raw__sites') }}

),

landings as (

    select max(landed_at) as newest_landed_at

    from {{ ref('stg_raw__landed_objects') }}

),

shift_days as (

    select distinct
        site_shifts.site_id,
        site_shifts.shift_date,
        coalesce(sites.timezone, 'UTC') as timezone,
        cast(site_shifts.shift_date + interval 1 day as timestamp) as next_midnight_local

    from site_shifts

    left join sites
        on site_shifts.site_id = sites.site_id

),

day_windows as (

    select
        windows.*,
        shift_days.timezone,
        greatest(
            max(windows.ended_at) over (partition by windows.site_id, windows.shift_date),
            {{ first_instant('shift_days.next_midnight_local', 'shift_days.timezone') }}
        ) as day_ended_at

    from shift_days

    inner join windows
        on shift_days.site_id = windows.site_id
        and shift_days.shift_date = windows.shift_date

)

select
    day_windows.site_id,
    day_windows.shift_date,
    day_windows.shift_id,
    day_windows.started_at,
    day_windows.ended_at,
    {{ to_local('day_windows.started_at', 'day_windows.timezone') }} as started_local,
    {{ to_local('day_windows.ended_at', 'day_windows.timezone') }} as ended_local,
    cast({{ seconds(microseconds_between('day_windows.started_at', 'day_windows.ended_at')) }} as double)
        as scheduled_seconds,
    {{ microseconds_between('day_windows.ended_at', 'landings.newest_landed_at') }}
    >= {{ minutes(var('late_event_minutes')) }} as is_complete,
    {{ microseconds_between('day_windows.day_ended_at', 'landings.newest_landed_at') }}
    >= {{ minutes(var('late_event_minutes')) }} as is_day_complete
from day_windows
cross join landings
