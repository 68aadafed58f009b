select
    object_id,
    site_id,
    camera_id,
    field
from {{ source('raw', 'unexpected_fields') }}
