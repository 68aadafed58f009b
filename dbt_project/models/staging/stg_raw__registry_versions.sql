select
    number,
    file,
    site_id,
    line_count,
    in_force_since,
    change,
    shift_dates_recomputed
from {{ source('raw', 'registry_versions') }}
