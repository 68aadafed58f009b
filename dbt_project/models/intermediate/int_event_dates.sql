-- The dates of the last finished build, with those of changed minutes looked up again, because a date can lose events.
{{ config(materialized="replaced", schema="handover", tags=["calendar"]) }}

{%- set day_before = minutes(var('clock_offset_horizon_hours') * 60) %}

with changed_dates as (

    select distinct
        site_id,
        {{ utc_date('minute') }} as event_date

    from {{ ref('stg_raw__changed_minutes') }}

),

events as (

    select * from {{ ref('stg_raw__events') }}
    {%- if not should_full_refresh() %}

        where {{ within_days('event_at', ref('stg_raw__changed_minutes'), 'minute') }}
    {%- endif %}

),

landed_objects as (

    select * from {{ ref('stg_raw__landed_objects') }}

),

-- An event ahead of the clock counts only for the day before it landed.
heard as (

    select
        events.site_id,
        {{ utc_date('events.event_at') }} as event_date,
        max(
            case
                when events.event_at <= coalesce(landed_objects.landed_at, events.event_at) then events.event_at
                else {{ add_microseconds('landed_objects.landed_at', '-' ~ day_before) }}
            end
        ) as heard_until

    from events

    left join landed_objects
        on events.object_id = landed_objects.object_id

    group by events.site_id, {{ utc_date('events.event_at') }}

),

known as (

    select
        dates_before.site_id,
        dates_before.event_date,
        dates_before.heard_until

    from {{ source('build', 'event_dates') }} as dates_before

    where not exists (
        select 1
        from changed_dates
        where changed_dates.site_id = dates_before.site_id and changed_dates.event_date = dates_before.event_date
    )
    -- Where another site's date changed, its day was read for all sites.
    and not exists (
        select 1
        from heard
        where heard.site_id = dates_before.site_id and heard.event_date = dates_before.event_date
    )

)

select * from heard
union all
select * from known
