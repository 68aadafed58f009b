{{ config(tags=["calendar"]) }}

with site_days as (

    select * from {{ ref('int_site_days') }}

),

calendar as (

    select * from {{ ref('int_shift_calendar') }}

),

scheduled as (

    select
        site_days.site_id,
        site_days.local_date as shift_date,
        calendar.shift_id,
        calendar.duration_minutes,
        site_days.timezone,
        cast(cast(site_days.local_date as varchar) || ' ' || calendar.start_local || ':00' as timestamp) as start_local

    from site_days

    inner join calendar
        on site_days.site_id = calendar.site_id
        and {{ holds_on('calendar', 'site_days.local_date') }}

),

started as (

    select
        site_id,
        shift_date,
        shift_id,
        duration_minutes,
        {{ first_instant('start_local', 'timezone') }} as started_at

    from scheduled

)

select
    site_id,
    shift_date,
    shift_id,
    started_at,
    {{ add_microseconds('started_at', 'cast(duration_minutes as bigint) * 60000000') }} as ended_at
from started
