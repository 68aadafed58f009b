{{ config(materialized="scoped", meta={"scope": "window"}) }}

with worker_stations as (

    select * from {{ ref('int_worker_stations') }}

),

state_intervals as (

    select * from {{ ref('int_state_intervals') }}

),

state_sums as (

    select
        site_id,
        shift_date,
        shift_id,
        worker_id,
        workstation_id,
        {{ whole_sum("case when state = 'working' then microseconds end") }} as active_microseconds,
        {{ whole_sum("case when state = 'idle' then microseconds end") }} as idle_microseconds,
        {{ whole_sum("case when state = 'absent' then microseconds end") }} as absent_microseconds

    from state_intervals

    group by site_id, shift_date, shift_id, worker_id, workstation_id

)

select
    worker_stations.site_id,
    worker_stations.shift_date,
    worker_stations.shift_id,
    worker_stations.worker_id,
    worker_stations.workstation_id,
    worker_stations.units,
    worker_stations.event_count,
    worker_stations.observed_microseconds,
    worker_stations.scheduled_microseconds,
    worker_stations.first_event_at,
    worker_stations.last_event_at,
    coalesce(state_sums.active_microseconds, 0) as active_microseconds,
    coalesce(state_sums.idle_microseconds, 0) as idle_microseconds,
    coalesce(state_sums.absent_microseconds, 0) as absent_microseconds,
    coalesce(state_sums.active_microseconds + state_sums.idle_microseconds, 0) as present_microseconds
from worker_stations
left join state_sums
    on worker_stations.site_id = state_sums.site_id
    and worker_stations.shift_date = state_sums.shift_date
    and worker_stations.shift_id = state_sums.shift_id
    and worker_stations.worker_id = state_sums.worker_id
    and worker_stations.workstation_id = state_sums.workstation_id
