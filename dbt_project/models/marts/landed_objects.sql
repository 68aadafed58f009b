-- depends_on: {{ lists_of('object') }}

with landed_objects as (

    select * from {{ ref('stg_raw__landed_objects') }}

),

affected_objects as (

    select * from {{ ref('int_affected_objects') }}

)

select
    landed_objects.object_key,
    landed_objects.etag,
    landed_objects.bytes,
    landed_objects.records,
    landed_objects.accepted,
    landed_objects.rejected,
    landed_objects.unexpected_fields,
    landed_objects.landed_at,
    landed_objects.mapping,
    landed_objects.source_records,
    landed_objects.skipped_records
from landed_objects
inner join affected_objects
    on landed_objects.object_key = affected_objects.object_key
    and landed_objects.etag = affected_objects.etag
