-- depends_on: {{ lists_of('date') }}

with camera_events as (

    select * from {{ ref('int_camera_events') }}

),

binned as (

    select
        site_id,
        {{ utc_date('event_at') }} as event_date,
        camera_id,
        model_name,
        model_version,
        {{ confidence_bin('confidence') }} as bin
    from camera_events

)

select
    site_id,
    event_date,
    camera_id,
    model_name,
    model_version,
    bin,
    count(*) as event_count
from binned
group by site_id, event_date, camera_id, model_name, model_version, bin
