{{ config(schema="handover", tags=["calendar"]) }}

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

-- A window ends by the local clock, because people leave by the clock on the wall.
on_the_wall as (

    select
        *,
        start_local + duration_minutes * interval 1 minute as end_local

    from scheduled

),

windows as (

    select
        site_id,
        shift_date,
        shift_id,
        {{ first_instant('start_local', 'timezone') }} as started_at,
        {{ first_instant('end_local', 'timezone') }} as ended_at

    from on_the_wall

)

select *
from windows
where started_at < ended_at
