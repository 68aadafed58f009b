select
    object_key,
    reason,
    detail,
    bytes,
    modified_at
from {{ source('raw', 'unread_objects') }}
