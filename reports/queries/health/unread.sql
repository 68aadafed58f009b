-- One row per object or folder in the bucket that is not read.
select
    object_key,
    detail,
    bytes::double as bytes,
    epoch_ms(modified_at) as modified_ms
from unread_objects
order by object_key
