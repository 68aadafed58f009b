-- depends_on: {{ lists_of('object') }}

with rejected_records as (

    select * from {{ ref('stg_raw__rejected_records') }}

),

landed_objects as (

    select * from {{ ref('stg_raw__landed_objects') }}

),

affected_objects as (

    select * from {{ ref('int_affected_objects') }}

),

rejecting_objects as (

    select landed_objects.*

    from landed_objects

    inner join affected_objects
        on landed_objects.object_key = affected_objects.object_key
        and landed_objects.etag = affected_objects.etag

)

select
    rejecting_objects.object_key,
    rejecting_objects.etag,
    rejected_records.position,
    rejected_records.part,
    rejected_records.reason,
    rejected_records.detail,
    rejected_records.payload,
    rejected_records.rejected_at,
    rejected_records.superseded_at
from rejected_records
inner join rejecting_objects
    on rejected_records.object_id = rejecting_objects.object_id
