{{ config(materialized="scoped", meta={"scope": "date"}) }}

with camera_events as (

    select * from {{ ref('int_camera_events') }}

),

settings as (

    select * from {{ ref('stg_raw__settings') }}

),

instants as (

    select distinct
        site_id,
        {{ utc_date('event_at') }} as event_date,
        camera_id,
        event_at

    from camera_events

),

gaps as (

    select
        *,
        lead(event_at) over (partition by site_id, event_date, camera_id order by event_at) as next_event_at

    from instants

)

select
    gaps.site_id,
    gaps.event_date,
    gaps.camera_id,
    gaps.event_at as started_at,
    gaps.next_event_at as ended_at
from gaps
cross join settings
where
    -- Shorter ones neither end what an event vouches for nor count as a silence.
    {{ microseconds_between('gaps.event_at', 'gaps.next_event_at') }}
    >= least(settings.last_event_microseconds, {{ minutes(var('camera_silence_minutes')) }})
