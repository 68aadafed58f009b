{{ config(database="scratch", materialized="view") }}

select
    site_id,
    event_at,
    counted_at,
    worker_id,
    workstation_id,
    event_type,
    camera_id,
    model_name,
    model_version,
    confidence,
    unit_count
from {{ ref('int_camera_events') }}
where is_counted
