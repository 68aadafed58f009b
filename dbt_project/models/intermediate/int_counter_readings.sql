-- depends_on: {{ lists_of('reading') }}
{{ config(materialized="incremental", incremental_strategy="scoped", meta={"scope": "reading", "day": "event_at"}) }}

select
    site_id,
    camera_id,
    workstation_id,
    event_at,
    count_total,
    largest_total,
    unit_count
from {{ ref('int_changed_readings') }}
where {{ 'true' if should_full_refresh() else computed_again() }}
