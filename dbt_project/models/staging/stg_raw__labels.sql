select
    object_id,
    event_key,
    true_event_type,
    reviewer,
    position,
    reviewed_at
from {{ source('raw', 'labels') }}
