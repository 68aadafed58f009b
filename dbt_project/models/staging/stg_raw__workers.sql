select
    site_id,
    worker_id,
    name as worker_name
from {{ source('raw', 'workers') }}
