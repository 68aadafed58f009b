{{ config(materialized="scoped", meta={"scope": "window"}) }}

with state_intervals as (

    select * from {{ ref('int_state_intervals') }}

)

select
    site_id,
    shift_date,
    shift_id,
    worker_id,
    workstation_id,
    state,
    started_at,
    ended_at,
    cast({{ seconds('microseconds') }} as double) as seconds,
    end_reason,
    confidence
from state_intervals
