{{ config(database="scratch") }}

with watchers as (

    select * from {{ ref('int_station_watchers') }}

),

camera_watches as (

    select * from {{ ref('int_camera_watches') }}

),

segments as (

    select *
    from {{ ref('int_window_segments') }}
    where is_owner

),

as_of as (

    select * from {{ ref('int_as_of') }}

),

numbers as (
    {{ numbers(3) }}
),

watcher_dates as (

    select
        watchers.*,
        cast({{ utc_date('watchers.ended_at') }} - numbers.number * interval 1 day as date) as event_date

    from watchers

    cross join numbers

),

-- Distinct rows, because two cameras that watch the same stretch have no defined order.
watches as (

    select distinct
        watcher_dates.site_id,
        watcher_dates.shift_date,
        watcher_dates.shift_id,
        watcher_dates.workstation_id,
        greatest(camera_watches.started_at, watcher_dates.started_at) as started_at,
        least(camera_watches.ended_at, watcher_dates.ended_at, as_of.as_of) as ended_at

    from watcher_dates

    cross join as_of

    inner join camera_watches
        on watcher_dates.site_id = camera_watches.site_id
        and watcher_dates.camera_id = camera_watches.camera_id
        and watcher_dates.event_date = camera_watches.event_date
        and watcher_dates.started_at < camera_watches.ended_at
        and watcher_dates.ended_at > camera_watches.started_at

),

ordered as (

    select
        *,
        {{ ended_before('site_id, shift_date, shift_id, workstation_id') }} as watched_until

    from watches

    where started_at < ended_at

),

numbered as (

    select
        *,
        {{ stretch_number('watched_until >= started_at', 'site_id, shift_date, shift_id, workstation_id') }}
            as stretch_number

    from ordered

),

-- Several cameras watch a station together.
stretches as (

    select
        site_id,
        shift_date,
        shift_id,
        workstation_id,
        min(started_at) as started_at,
        max(ended_at) as ended_at

    from numbered

    group by site_id, shift_date, shift_id, workstation_id, stretch_number

)

select
    stretches.site_id,
    stretches.shift_date,
    stretches.shift_id,
    stretches.workstation_id,
    greatest(stretches.started_at, segments.started_at) as started_at,
    least(stretches.ended_at, segments.ended_at) as ended_at
from stretches
inner join segments
    on stretches.site_id = segments.site_id
    and stretches.shift_date = segments.shift_date
    and stretches.shift_id = segments.shift_id
    and stretches.started_at < segments.ended_at
    and stretches.ended_at > segments.started_at
