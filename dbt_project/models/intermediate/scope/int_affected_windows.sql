{{ config(materialized="incremental", incremental_strategy="affected") }}

with segments as (

    select * from {{ ref('int_window_segments') }}

),

segments_before as (

    select * from {{ source('build', 'window_segments') }}

),

segment_dates as (
    {{ on_each_date('segments') }}
),

-- The units of a counter's reading at midnight belong to the date before.
event_dates_before as (

    select
        site_id,
        event_date
    from {{ source('build', 'event_dates') }}

    union

    select
        site_id,
        cast(event_date - interval 1 day as date) as event_date
    from {{ source('build', 'event_dates') }}

),

changed_minutes as (

    select * from {{ ref('int_affected_minutes') }}

),

settings as (

    select * from {{ ref('stg_raw__settings') }}

),

batch as (

    select * from {{ source('build', 'batch') }}

),

as_of as (

    select * from {{ ref('int_as_of') }}

),

passable_stretches as (

    {{ passable_stretches() }}

),

-- If the calendar now cuts time differently, the former windows lose what the new ones gain.
changed_segments as (

    {{ changed_rows('segments', 'segments_before') }}

),

moved_segments as (
    {{ on_each_date('changed_segments') }}
),

-- Only dates with events at the last build have rows to lose; newer events are changed minutes.
moved as (

    select moved_segments.*

    from moved_segments

    inner join event_dates_before
        on moved_segments.site_id = event_dates_before.site_id
        and moved_segments.covered_on = event_dates_before.event_date

),

touched as (

    select
        segment_dates.site_id,
        min(changed_minutes.minute) as first_at,
        max(changed_minutes.minute) + interval 1 minute as last_at

    from changed_minutes

    inner join segment_dates
        on changed_minutes.site_id = segment_dates.site_id
        and {{ utc_date('changed_minutes.minute') }} = segment_dates.covered_on
        and changed_minutes.minute >= segment_dates.started_at
        and changed_minutes.minute < segment_dates.ended_at

    group by segment_dates.site_id, segment_dates.started_at

    union

    select
        site_id,
        started_at as first_at,
        ended_at as last_at
    from moved

),

-- A new or removed event affects its subject and camera for LAST_EVENT_MINUTES before and after it. It may also be a
-- person's arrival, which chooses the person's windows for hours where windows overlap.
spans as (

    select
        touched.site_id,
        {{ add_microseconds('touched.first_at', '-settings.last_event_microseconds') }} as first_at,
        {{ add_microseconds('touched.last_at', 'settings.last_event_microseconds') }} as last_at,
        false as is_about_choices

    from touched

    cross join settings

    union all

    select
        site_id,
        first_at,
        {{ add_microseconds('last_at', minutes(var('arrival_memory_minutes'))) }} as last_at,
        true as is_about_choices

    from touched

),

span_dates as (
    {{ on_each_date('spans', 5, 'first_at', 'last_at') }}
),

reached as (

    select distinct
        segment_dates.site_id,
        segment_dates.shift_date,
        segment_dates.shift_id,
        segment_dates.window_started_at,
        segment_dates.window_ended_at

    from span_dates

    inner join segment_dates
        on span_dates.site_id = segment_dates.site_id
        and span_dates.covered_on = segment_dates.covered_on
        and span_dates.first_at <= segment_dates.ended_at
        and span_dates.last_at >= segment_dates.started_at
        and (segment_dates.is_shared or not span_dates.is_about_choices)

),

-- A state at a window's end continues in the windows that follow.
followed as (

    select * from reached

    union

    select
        segments.site_id,
        segments.shift_date,
        segments.shift_id,
        segments.window_started_at,
        segments.window_ended_at
    from reached
    inner join segments
        on reached.site_id = segments.site_id
        and reached.window_ended_at = segments.started_at

),

passed as (

    select * from followed

    union

    select
        segments.site_id,
        segments.shift_date,
        segments.shift_id,
        segments.window_started_at,
        segments.window_ended_at
    from followed
    inner join passable_stretches
        on followed.site_id = passable_stretches.site_id
        and followed.window_started_at >= passable_stretches.started_at
        and followed.window_ended_at <= passable_stretches.ended_at
    inner join segments
        on followed.site_id = segments.site_id
        and followed.window_ended_at <= segments.started_at
        and passable_stretches.ended_at >= segments.started_at

),

-- Time of persons in a window counts by the clock in all windows that overlap it.
overlapping as (

    select distinct
        segments.site_id,
        segments.shift_date,
        segments.shift_id

    from {{ segments_shared_with('passed', 'segments') }}

),

targeted_sites as (

    select distinct site_id from {{ ref('stg_raw__targets') }}

),

-- The time figures of a station with a target depend on the cameras that reported it in the days before and on the
-- newest landing. A site with its first target has no such figures yet.
watched as (

    select distinct
        segments.site_id,
        segments.shift_date,
        segments.shift_id

    from touched

    inner join targeted_sites
        on touched.site_id = targeted_sites.site_id

    inner join segments
        on touched.site_id = segments.site_id
        and touched.first_at <= segments.window_ended_at
        and touched.last_at >= segments.window_started_at - interval 1 day * {{ var('camera_memory_days') }}

    union

    select
        segments.site_id,
        segments.shift_date,
        segments.shift_id
    from segments
    inner join targeted_sites
        on segments.site_id = targeted_sites.site_id
    inner join as_of
        on segments.window_started_at < as_of.as_of
        and segments.window_ended_at > as_of.earlier_as_of

    union

    select
        segments.site_id,
        segments.shift_date,
        segments.shift_id
    from segments
    inner join targeted_sites
        on segments.site_id = targeted_sites.site_id
    where segments.site_id not in (select targets.site_id from {{ source('build', 'targets') }} as targets)

),

since_last_batch as (

    select
        site_id,
        shift_date,
        shift_id
    from overlapping

    union

    select
        site_id,
        shift_date,
        shift_id
    from moved

    union

    select
        site_id,
        shift_date,
        shift_id
    from watched

    where shift_id <> 'unscheduled'

)

select
    since_last_batch.site_id,
    since_last_batch.shift_date,
    since_last_batch.shift_id
from since_last_batch
inner join batch
    on not batch.is_full

union

select
    segments.site_id,
    segments.shift_date,
    segments.shift_id
from segments
inner join batch
    on batch.is_full
    and segments.shift_date >= batch.first_date
    and segments.shift_date <= batch.last_date
