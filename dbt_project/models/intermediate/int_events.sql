{{ config(database="scratch", materialized="view") }}

with camera_events as (

    select * from {{ ref('int_camera_events') }}

),

ranked as (

    select
        *,
        row_number() over (
            partition by site_id, event_at, worker_id, workstation_id, event_type
            order by confidence desc, unit_count desc, camera_id asc, model_name asc, model_version asc
        ) as duplicate_rank

    from camera_events

    where is_crowded

)

select
    site_id,
    event_at,
    worker_id,
    workstation_id,
    event_type,
    camera_id,
    model_name,
    model_version,
    confidence,
    unit_count
from camera_events
where not is_crowded

union all

select
    site_id,
    event_at,
    worker_id,
    workstation_id,
    event_type,
    camera_id,
    model_name,
    model_version,
    confidence,
    unit_count
from ranked
where duplicate_rank = 1
