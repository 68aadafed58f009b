{{ config(materialized="replaced", tags=["whole"]) }}

with unexpected_fields as (

    select * from {{ ref('stg_raw__unexpected_fields') }}

),

landed_objects as (

    select * from {{ ref('stg_raw__landed_objects') }}

)

select
    unexpected_fields.site_id,
    unexpected_fields.field,
    min(landed_objects.landed_at) as first_seen_at,
    max(landed_objects.landed_at) as last_seen_at,
    count(distinct unexpected_fields.object_id) as object_count,
    count(distinct unexpected_fields.camera_id) as camera_count
from unexpected_fields
inner join landed_objects
    on unexpected_fields.object_id = landed_objects.object_id
group by
    unexpected_fields.site_id,
    unexpected_fields.field
