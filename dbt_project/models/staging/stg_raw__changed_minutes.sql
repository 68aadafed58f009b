select
    site_id,
    minute
from {{ source('raw', 'changed_minutes') }}
