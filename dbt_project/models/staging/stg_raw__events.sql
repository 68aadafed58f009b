select
    object_id,
    site_id,
    camera_id,
    worker_id,
    workstation_id,
    event_type,
    model_name,
    model_version,
    position,
    confidence,
    unit_count,
    event_at
from {{ source('raw', 'events') }}
