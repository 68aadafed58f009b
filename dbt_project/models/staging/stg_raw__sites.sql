select
    site_id,
    name as site_name,
    timezone,
    people
from {{ source('raw', 'sites') }}
