select
    site_id,
    from_date,
    to_date
from {{ source('raw', 'closures') }}
