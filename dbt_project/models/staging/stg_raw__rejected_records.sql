select
    object_id,
    reason,
    detail,
    payload,
    position,
    rejected_at
from {{ source('raw', 'rejected_records') }}
