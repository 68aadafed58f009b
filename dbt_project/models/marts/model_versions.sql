{{ config(materialized="replaced", tags=["whole"]) }}

with spans as (

    select * from {{ ref('int_model_spans') }}

)

select
    site_id,
    camera_id,
    model_name,
    model_version,
    min(first_event_at) as first_event_at,
    max(last_event_at) as last_event_at,
    {{ whole_sum('event_count') }} as event_count
from spans
group by site_id, camera_id, model_name, model_version
