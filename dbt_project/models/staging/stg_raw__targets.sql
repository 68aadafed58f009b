select
    site_id,
    workstation_id,
    shift_id,
    units_per_hour as target_units_per_hour,
    valid_from,
    valid_to,
    weekdays
from {{ source('raw', 'targets') }}
