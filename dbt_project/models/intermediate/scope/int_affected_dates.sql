{{ config(materialized="incremental", incremental_strategy="affected") }}

with affected_windows as (

    select * from {{ ref('int_affected_windows') }}

),

changed_minutes as (

    select * from {{ ref('int_affected_minutes') }}

),

batch as (

    select * from {{ source('build', 'batch') }}

),

settings as (

    select * from {{ ref('stg_raw__settings') }}

),

event_dates as (

    select * from {{ ref('int_event_dates') }}

),

segments as (

    select * from {{ ref('int_window_segments') }}

),

segments_now_and_before as (

    select * from segments
    union all
    select * from {{ source('build', 'window_segments') }}

),

segment_dates as (
    {{ on_each_date('segments_now_and_before') }}
),

passable_stretches as (

    {{ passable_stretches() }}

),

-- All windows that share time with an affected one.
windows as (

    select distinct
        affected_windows.site_id,
        affected_windows.shift_date as affected_date,
        segments.window_started_at,
        segments.window_ended_at,
        segments.is_shared

    from {{ segments_shared_with('affected_windows', 'segments') }}

),

-- A state that continues in a window began in an earlier one, with only passable windows between them.
entered as (

    select
        windows.site_id,
        windows.affected_date,
        windows.window_ended_at,
        windows.is_shared,
        coalesce(min(passable_stretches.started_at), windows.window_started_at) as entered_at

    from windows

    left join passable_stretches
        on windows.site_id = passable_stretches.site_id
        and windows.window_started_at >= passable_stretches.started_at
        and windows.window_started_at <= passable_stretches.ended_at

    group by
        windows.site_id,
        windows.affected_date,
        windows.window_started_at,
        windows.window_ended_at,
        windows.is_shared

),

began as (

    select
        entered.site_id,
        entered.affected_date,
        least(min(entered.entered_at), min(segments.window_started_at)) as first_at,
        max(entered.window_ended_at) as last_at,
        bool_or(entered.is_shared or coalesce(segments.is_shared, false)) as is_shared

    from entered

    left join segments
        on entered.site_id = segments.site_id
        and entered.entered_at = segments.ended_at

    group by entered.site_id, entered.affected_date

),

-- An event affects its window and the LAST_EVENT_MINUTES before it; where windows overlap, it can also be an arrival.
-- On a rebuild a site's dates are consecutive, so one range is enough.
ranges as (

    select
        began.site_id,
        {{ utc_date(
            "min(case when began.is_shared then "
            ~ add_microseconds('began.first_at', '-' ~ minutes(var('arrival_memory_minutes')))
            ~ " else began.first_at end)"
        ) }} as first_date,
        {{ utc_date(
            "max(" ~ add_microseconds('began.last_at', 'settings.last_event_microseconds') ~ ")"
        ) }} as last_date

    from began

    cross join settings

    cross join batch

    group by began.site_id, case when not batch.is_full then began.affected_date end

),

read_dates as (

    select
        event_dates.site_id,
        event_dates.event_date
    from ranges
    inner join event_dates
        on ranges.site_id = event_dates.site_id
        and ranges.first_date <= event_dates.event_date
        and ranges.last_date >= event_dates.event_date

    union

    select
        changed_minutes.site_id,
        {{ utc_date('changed_minutes.minute') }} as event_date
    from changed_minutes
    inner join batch
        on not batch.is_full

    union

    select
        segment_dates.site_id,
        segment_dates.covered_on as event_date
    from segment_dates
    inner join affected_windows
        on segment_dates.site_id = affected_windows.site_id
        and segment_dates.shift_date = affected_windows.shift_date
        and segment_dates.shift_id = affected_windows.shift_id

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
from read_dates

union

-- The units of a counter's reading at midnight belong to the date before.
select
    midnight_readings.site_id,
    midnight_readings.event_date
from midnight_readings
inner join read_dates
    on midnight_readings.site_id = read_dates.site_id
    and cast(midnight_readings.event_date - interval 1 day as date) = read_dates.event_date
