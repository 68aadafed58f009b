{{ config(database="scratch") }}

with camera_dates as (

    select * from {{ ref('int_camera_dates') }}

),

affected_dates as (

    select * from {{ ref('int_affected_camera_dates') }}

),

camera_gaps as (

    select camera_gaps.*

    from {{ ref('int_camera_gaps') }} as camera_gaps

    inner join affected_dates
        on camera_gaps.site_id = affected_dates.site_id
        and camera_gaps.event_date = affected_dates.event_date

),

settings as (

    select * from {{ ref('stg_raw__settings') }}

),

numbers as (
    {{ numbers(var('camera_memory_days')) }}
),

-- A camera is expected for some days after its last event, on dates with any event of the site.
expected as (

    select distinct
        camera_dates.site_id,
        camera_dates.camera_id,
        affected_dates.event_date

    from affected_dates

    cross join numbers

    inner join camera_dates
        on affected_dates.site_id = camera_dates.site_id
        and cast(affected_dates.event_date - numbers.number * interval 1 day as date) = camera_dates.event_date

),

site_dates as (

    select distinct
        site_id,
        event_date

    from camera_dates

),

days as (

    select
        expected.site_id,
        expected.event_date,
        expected.camera_id,
        camera_dates.first_event_at,
        camera_dates.last_event_at,
        {{ utc_midnight('expected.event_date') }} as started_at,
        {{ utc_midnight('expected.event_date + interval 1 day') }} as ended_at

    from expected

    inner join site_dates
        on expected.site_id = site_dates.site_id
        and expected.event_date = site_dates.event_date

    left join camera_dates
        on expected.site_id = camera_dates.site_id
        and expected.event_date = camera_dates.event_date
        and expected.camera_id = camera_dates.camera_id

)

-- Nothing vouches for the time before a date's first event, or for a whole date without events.
select
    site_id,
    event_date,
    camera_id,
    started_at,
    coalesce(first_event_at, ended_at) as ended_at,
    cast(0 as bigint) as vouched_microseconds
from days

union all

select
    days.site_id,
    days.event_date,
    days.camera_id,
    days.last_event_at as started_at,
    days.ended_at,
    settings.last_event_microseconds as vouched_microseconds
from days
cross join settings
where days.last_event_at is not null

union all

select
    camera_gaps.site_id,
    camera_gaps.event_date,
    camera_gaps.camera_id,
    camera_gaps.started_at,
    camera_gaps.ended_at,
    settings.last_event_microseconds as vouched_microseconds
from camera_gaps
cross join settings
