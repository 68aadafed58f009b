select
    site_id,
    shift_id,
    start_local,
    duration_minutes,
    valid_from,
    valid_to,
    weekdays
from {{ source('raw', 'shifts') }}
