{{ config(materialized="scoped", meta={"scope": "window"}) }}

select
    site_id,
    shift_date,
    shift_id,
    workstation_id,
    units,
    worker_count,
    window_started_at,
    window_ended_at,
    working_microseconds,
    idle_microseconds,
    occupancy_microseconds,
    staffed_microseconds
from {{ ref('int_workstation_shifts') }}
