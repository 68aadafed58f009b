select
    object_id,
    site_id,
    camera_id,
    worker_id,
    workstation_id,
    event_type,
    event_id,
    model_name,
    model_version,
    position,
    confidence,
    unit_count,
    count_total,
    event_at
from {{ source('raw', 'events') }}
