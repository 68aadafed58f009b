select
    object_id,
    object_key,
    etag,
    unexpected_fields,
    bytes,
    records,
    accepted,
    rejected,
    landed_at,
    mapping,
    source_records,
    skipped_records
from {{ source('raw', 'landed_objects') }}
