{{ config(tags=["calendar"]) }}

with landed_objects as (

    select * from {{ ref('stg_raw__landed_objects') }}

),

batch as (

    select * from {{ source('build', 'batch') }}

)

select
    {{ utc_minute('max(landed_objects.landed_at)') }} as as_of,
    {{ utc_minute(
        'max(case when landed_objects.object_id <= batch.last_object_id then landed_objects.landed_at end)'
    ) }} as earlier_as_of
from landed_objects
cross join batch
