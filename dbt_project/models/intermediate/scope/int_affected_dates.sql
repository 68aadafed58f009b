{{ config(materialized="affected") }}

with windows as (

    select * from {{ ref('int_affected_windows') }}

),

changed_minutes as (

    select * from {{ ref('int_affected_minutes') }}

),

batch as (

    select * from {{ source('build', 'batch') }}

),

segments as (

    select * from {{ ref('int_segment_dates') }}
    union all
    select * from {{ source('build', 'segment_dates') }}

),

touched_dates as (

    select
        changed_minutes.site_id,
        {{ utc_date('changed_minutes.minute') }} as event_date
    from changed_minutes
    inner join batch
        on not batch.is_full

    union

    select
        segments.site_id,
        segments.covered_on as event_date
    from segments
    inner join windows
        on segments.site_id = windows.site_id
        and segments.shift_date = windows.shift_date
        and segments.shift_id = windows.shift_id

),

midnight_readings as (

    select distinct
        site_id,
        {{ utc_date('event_at') }} as event_date

    from {{ ref('int_counter_readings') }}

    where {{ epoch_microseconds('event_at') }} % {{ 24 * 60 * 60 * 1000000 }} = 0

)

select
    site_id,
    event_date
from touched_dates

union

-- What a counter reads at midnight was made on the date before.
select
    midnight_readings.site_id,
    midnight_readings.event_date
from midnight_readings
inner join touched_dates
    on midnight_readings.site_id = touched_dates.site_id
    and cast(midnight_readings.event_date - interval 1 day as date) = touched_dates.event_date
