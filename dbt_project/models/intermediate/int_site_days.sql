{{ config(tags=["calendar"]) }}

with event_dates as (

    select * from {{ ref('int_event_dates') }}

),

sites as (

    select * from {{ ref('stg_raw__sites') }}

),

-- Two days to either side cover every window, local midnight and gap that can touch a UTC date.
numbers as (
    {{ numbers(4) }}
),

days as (

    select distinct
        event_dates.site_id,
        cast(event_dates.event_date + (numbers.number - 2) * interval 1 day as date) as local_date

    from event_dates

    cross join numbers

)

select
    days.site_id,
    days.local_date,
    coalesce(sites.timezone, 'UTC') as timezone
from days
left join sites
    on days.site_id = sites.site_id
