select
    site_id,
    case when workstation_id <> '*' then workstation_id end as workstation_id,
    shift_date,
    shift_id,
    units as booked_units
from {{ source('raw', 'booked') }}
