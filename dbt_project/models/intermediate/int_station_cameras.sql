{{ config(materialized="incremental", incremental_strategy="scoped", meta={"scope": "date", "day": "event_date"}) }}
-- depends_on: {{ lists_of('date') }}

with camera_events as (

    select * from {{ ref('int_camera_events') }}

)

select
    site_id,
    {{ utc_date('event_at') }} as event_date,
    workstation_id,
    camera_id,
    min(event_at) as first_state_at,
    max(event_at) as last_state_at
from camera_events
where event_type <> 'product_count' and is_admitted
group by site_id, {{ utc_date('event_at') }}, workstation_id, camera_id
