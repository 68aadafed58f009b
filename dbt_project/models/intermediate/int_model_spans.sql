{{ config(materialized="incremental", incremental_strategy="scoped", meta={"scope": "date", "day": "event_date"}) }}
-- depends_on: {{ lists_of('date') }}

with camera_events as (

    select * from {{ ref('int_camera_events') }}

)

select
    site_id,
    {{ utc_date('event_at') }} as event_date,
    camera_id,
    model_name,
    model_version,
    min(event_at) as first_event_at,
    max(event_at) as last_event_at,
    count(*) as event_count
from camera_events
group by site_id, {{ utc_date('event_at') }}, camera_id, model_name, model_version
