{{ config(materialized="incremental", incremental_strategy="affected") }}

with landed_objects as (

    select * from {{ ref('stg_raw__landed_objects') }}

),

batch as (

    select * from {{ source('build', 'batch') }}

)

select
    landed_objects.object_key,
    landed_objects.etag
from landed_objects
inner join batch
    on landed_objects.object_id > batch.last_object_id

union

select
    object_key,
    etag
from {{ ref('stg_raw__changed_objects') }}
