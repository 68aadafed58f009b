-- One row per site and field in records that the contract does not define.
select
    site_id,
    field,
    object_count::double as objects,
    camera_count::double as cameras,
    epoch_ms(first_seen_at) as first_ms,
    epoch_ms(last_seen_at) as newest_ms
from unexpected_fields
order by field, site_id
