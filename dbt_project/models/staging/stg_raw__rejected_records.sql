select
    object_id,
    reason,
    detail,
    payload,
    position,
    part,
    rejected_at,
    superseded_at
from {{ source('raw', 'rejected_records') }}
