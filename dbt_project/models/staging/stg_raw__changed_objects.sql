select
    object_key,
    etag
from {{ source('raw', 'changed_objects') }}
