{{ config(materialized="scoped", meta={"scope": "date"}) }}

with camera_events as (

    select * from {{ ref('int_camera_events') }}

)

select
    site_id,
    {{ utc_date('event_at') }} as event_date,
    camera_id,
    model_name,
    model_version,
    count(*) as event_count,
    {{ exact_mean('confidence') }} as mean_confidence,
    {{ quantile('confidence', 0.05) }} as p05_confidence,
    count(*) filter (where event_type = 'working') as working_events,
    count(*) filter (where event_type = 'idle') as idle_events,
    count(*) filter (where event_type = 'absent') as absent_events,
    count(*) filter (where event_type = 'product_count') as product_count_events
from camera_events
group by site_id, {{ utc_date('event_at') }}, camera_id, model_name, model_version
