{{ config(materialized="replaced", tags=["whole"]) }}

with unread_objects as (

    select * from {{ ref('stg_raw__unread_objects') }}

)

select
    unread_objects.object_key,
    unread_objects.reason,
    unread_objects.detail,
    unread_objects.bytes,
    unread_objects.modified_at
from unread_objects
