{{ config(materialized="incremental", incremental_strategy="scoped", meta={"scope": "date", "day": "event_date"}) }}
-- depends_on: {{ lists_of('date') }}

with camera_events as (

    select * from {{ ref('int_camera_events') }}

),

settings as (

    select * from {{ ref('stg_raw__settings') }}

),

timed as (

    select
        camera_events.site_id,
        {{ utc_date('camera_events.event_at') }} as event_date,
        camera_events.camera_id,
        camera_events.event_at,
        {{ epoch_microseconds('camera_events.event_at') }} as microsecond,
        -- Shorter gaps neither end the time for which an event vouches nor count as a silence.
        greatest(
            least(settings.last_event_microseconds, {{ minutes(var('camera_silence_minutes')) }}), 1
        ) as shortest_gap

    from camera_events

    cross join settings

),

-- A time bucket of the gap's length cannot contain such a gap: only a bucket's first and last event can border one.
stretches as (

    select
        site_id,
        event_date,
        camera_id,
        shortest_gap,
        min(event_at) as first_event_at,
        max(event_at) as last_event_at

    from timed

    group by site_id, event_date, camera_id, shortest_gap, microsecond - microsecond % shortest_gap

),

gaps as (

    select
        site_id,
        event_date,
        camera_id,
        shortest_gap,
        last_event_at as started_at,
        lead(first_event_at) over (partition by site_id, event_date, camera_id order by first_event_at) as ended_at

    from stretches

)

select
    site_id,
    event_date,
    camera_id,
    started_at,
    ended_at
from gaps
where {{ microseconds_between('started_at', 'ended_at') }} >= shortest_gap
