{{ config(materialized="incremental", incremental_strategy="affected") }}

with affected_dates as (

    select * from {{ ref('int_affected_dates') }}

),

event_dates as (

    select
        site_id,
        event_date
    from {{ ref('int_event_dates') }}

    union

    select
        site_id,
        event_date
    from {{ source('build', 'event_dates') }}

),

event_dates_now as (

    select * from {{ ref('int_event_dates') }}

),

event_dates_before as (

    select * from {{ source('build', 'event_dates') }}

),

batch as (

    select * from {{ source('build', 'batch') }}

),

numbers as (
    {{ numbers(var('camera_memory_days')) }}
),

-- A camera is expected for some days after its last event.
remembered as (

    select
        affected_dates.site_id,
        cast(affected_dates.event_date + numbers.number * interval 1 day as date) as event_date

    from affected_dates

    cross join numbers

),

judged_now as (

    select
        site_id,
        max({{ utc_date('heard_until') }}) as last_date

    from event_dates_now

    group by site_id

),

judged_before as (

    select
        site_id,
        max({{ utc_date('heard_until') }}) as last_date

    from event_dates_before

    group by site_id

),

-- Where the judging of a site's cameras ended, and where it ends now.
judged as (

    select
        coalesce(judged_now.site_id, judged_before.site_id) as site_id,
        least(
            coalesce(judged_now.last_date, judged_before.last_date),
            coalesce(judged_before.last_date, judged_now.last_date)
        ) as first_date,
        greatest(
            coalesce(judged_now.last_date, judged_before.last_date),
            coalesce(judged_before.last_date, judged_now.last_date)
        ) as last_date

    from judged_now

    full join judged_before
        on judged_now.site_id = judged_before.site_id

)

select
    remembered.site_id,
    remembered.event_date
from remembered
inner join event_dates
    on remembered.site_id = event_dates.site_id
    and remembered.event_date = event_dates.event_date

union

-- A rebuild computes every date once, with the final end of the judged time.
select
    event_dates.site_id,
    event_dates.event_date
from event_dates
inner join judged
    on event_dates.site_id = judged.site_id
    and event_dates.event_date >= judged.first_date
    and event_dates.event_date <= judged.last_date
inner join batch
    on not batch.is_full
