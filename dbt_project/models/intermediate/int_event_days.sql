{{ config(materialized="incremental", incremental_strategy="scoped", meta={"scope": "date", "day": "event_date"}) }}
-- depends_on: {{ lists_of('date') }}

with events as (

    select *
    from {{ ref('int_camera_events') }}
    where is_chosen

)

select
    site_id,
    {{ utc_date('event_at') }} as event_date,
    event_type,
    count(*) as event_count
from events
group by site_id, {{ utc_date('event_at') }}, event_type
