{{ config(materialized="scoped", meta={"scope": "window"}) }}

select
    site_id,
    shift_date,
    shift_id,
    workstation_id,
    units,
    worker_count,
    working_microseconds,
    idle_microseconds,
    occupancy_microseconds,
    staffed_microseconds
from {{ ref('int_workstation_shifts') }}
