{{ config(materialized="incremental", incremental_strategy="scoped", meta={"scope": "window", "day": "shift_date"}) }}
-- depends_on: {{ lists_of('window') }}

select
    site_id,
    shift_date,
    shift_id,
    worker_id,
    workstation_id,
    units,
    event_count,
    observed_microseconds,
    scheduled_microseconds,
    first_event_at,
    last_event_at,
    active_microseconds,
    idle_microseconds,
    absent_microseconds,
    active_microseconds + idle_microseconds as present_microseconds
from {{ ref('int_subject_stations') }}
where worker_id is not null
