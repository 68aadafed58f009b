select
    site_id,
    shift_id,
    start_local,
    duration_minutes,
    valid_from,
    valid_to
from {{ source('raw', 'shifts') }}
