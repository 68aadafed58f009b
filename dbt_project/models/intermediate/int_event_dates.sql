-- What the last finished build knew, with the dates of changed minutes looked up again: a date can lose its events too.
{{ config(materialized="replaced", tags=["calendar"]) }}

with changed_dates as (

    select distinct
        site_id,
        {{ utc_date('minute') }} as event_date

    from {{ ref('stg_raw__changed_minutes') }}

),

events as (

    select distinct
        site_id,
        {{ utc_date('event_at') }} as event_date

    from {{ ref('stg_raw__events') }}
    {%- if not should_full_refresh() %}

        where {{ within_days('event_at', ref('stg_raw__changed_minutes'), 'minute') }}
    {%- endif %}

),

known as (

    select
        dates_before.site_id,
        dates_before.event_date

    from {{ source('build', 'event_dates') }} as dates_before

    where not exists (
        select 1
        from changed_dates
        where changed_dates.site_id = dates_before.site_id and changed_dates.event_date = dates_before.event_date
    )

)

select * from events
union
select * from known
