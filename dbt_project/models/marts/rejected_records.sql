with rejected_records as (

    select * from {{ ref('stg_raw__rejected_records') }}

),

landed_objects as (

    select * from {{ ref('stg_raw__landed_objects') }}

)

select
    landed_objects.object_key,
    landed_objects.etag,
    rejected_records.position,
    rejected_records.reason,
    rejected_records.detail,
    rejected_records.payload,
    rejected_records.rejected_at
from rejected_records
inner join landed_objects
    on rejected_records.object_id = landed_objects.object_id
