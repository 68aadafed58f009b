{{ config(materialized="incremental", incremental_strategy="scoped", meta={"scope": "date", "day": "event_date"}) }}
-- depends_on: {{ lists_of('date') }}

with camera_events as (

    select * from {{ ref('int_camera_events') }}

),

landed_objects as (

    select * from {{ ref('stg_raw__landed_objects') }}

),

landed as (

    select
        camera_events.site_id,
        {{ utc_date('camera_events.event_at') }} as event_date,
        camera_events.camera_id,
        camera_events.worker_id,
        camera_events.event_at,
        {{ microseconds_between('camera_events.event_at', 'landed_objects.landed_at') }} as lateness_microseconds

    from camera_events

    left join landed_objects
        on camera_events.first_object_id = landed_objects.object_id

)

select
    site_id,
    event_date,
    camera_id,
    count(*) as event_count,
    count(*) filter (where lateness_microseconds > {{ minutes(var('late_event_minutes')) }}) as late_events,
    min(lateness_microseconds) as least_lateness_microseconds,
    {{ quantile('lateness_microseconds', 0.5) }} as p50_lateness_microseconds,
    {{ quantile('lateness_microseconds', 0.95) }} as p95_lateness_microseconds,
    min(event_at) as first_event_at,
    max(event_at) as last_event_at,
    count(*) filter (where worker_id is null) as station_events
from landed
group by site_id, event_date, camera_id
