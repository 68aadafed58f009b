{{ config(materialized="incremental", incremental_strategy="affected") }}

with affected_dates as (

    select * from {{ ref('int_affected_dates') }}

),

event_dates as (

    select * from {{ ref('int_event_dates') }}
    union
    select * from {{ source('build', 'event_dates') }}

),

event_dates_now as (

    select * from {{ ref('int_event_dates') }}

),

event_dates_before as (

    select * from {{ source('build', 'event_dates') }}

),

numbers as (
    {{ numbers(var('camera_memory_days')) }}
),

-- A camera that was heard is expected for some days more.
remembered as (

    select
        affected_dates.site_id,
        cast(affected_dates.event_date + numbers.number * interval 1 day as date) as event_date

    from affected_dates

    cross join numbers

)

select
    remembered.site_id,
    remembered.event_date
from remembered
inner join event_dates
    on remembered.site_id = event_dates.site_id
    and remembered.event_date = event_dates.event_date

union

-- A site's newest event is where the judging of its cameras ends.
select
    site_id,
    max(event_date) as event_date
from event_dates_now
group by site_id

union

select
    site_id,
    max(event_date) as event_date
from event_dates_before
group by site_id
