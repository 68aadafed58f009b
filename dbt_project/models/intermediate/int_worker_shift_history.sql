{{ config(materialized="incremental", incremental_strategy="scoped", meta={"scope": "window"}) }}
-- depends_on: {{ lists_of('window') }}

select
    site_id,
    shift_date,
    shift_id,
    worker_id,
    units,
    event_count,
    scheduled_microseconds,
    active_microseconds,
    idle_microseconds,
    absent_microseconds,
    present_microseconds,
    tracked_microseconds,
    observed_microseconds
from {{ ref('int_subject_shifts') }}
where worker_id is not null
