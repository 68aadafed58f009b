{{ config(database="scratch", materialized="view") }}

with camera_dates as (

    select * from {{ ref('int_camera_dates') }}

),

settings as (

    select * from {{ ref('stg_raw__settings') }}

),

-- The pauses of a date that are longer than an event vouches for, and the one after its last event.
pauses as (

    select
        camera_gaps.site_id,
        camera_gaps.event_date,
        camera_gaps.camera_id,
        camera_gaps.started_at,
        camera_gaps.ended_at

    from {{ ref('int_camera_gaps') }} as camera_gaps

    inner join settings
        on {{ microseconds_between('camera_gaps.started_at', 'camera_gaps.ended_at') }}
        > settings.last_event_microseconds

    union all

    select
        site_id,
        event_date,
        camera_id,
        last_event_at as started_at,
        cast(null as timestamp with time zone) as ended_at

    from camera_dates

),

ordered as (

    select
        *,
        lag(ended_at) over (partition by site_id, event_date, camera_id order by started_at) as heard_again_at

    from pauses

)

select
    ordered.site_id,
    ordered.event_date,
    ordered.camera_id,
    coalesce(ordered.heard_again_at, camera_dates.first_event_at) as started_at,
    {{ add_microseconds('ordered.started_at', 'settings.last_event_microseconds') }} as ended_at
from ordered
cross join settings
inner join camera_dates
    on ordered.site_id = camera_dates.site_id
    and ordered.event_date = camera_dates.event_date
    and ordered.camera_id = camera_dates.camera_id
