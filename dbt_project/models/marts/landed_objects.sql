with landed_objects as (

    select * from {{ ref('stg_raw__landed_objects') }}

)

select
    object_key,
    etag,
    bytes,
    records,
    accepted,
    rejected,
    unexpected_fields,
    landed_at
from landed_objects
