-- One row per worker and state of the last 31 shift dates, a file for each site, shift date and shift: a shift's timeline
-- is one small file, read only when somebody opens it.
with newest as (

    select max(shift_date) as shift_date from site_shifts

),

workers as (

    select
        site_id,
        worker_id,
        arg_max(worker_name, shift_date) as worker_name
    from worker_shifts
    group by all

),

stations as (

    select
        site_id,
        workstation_id,
        arg_max(workstation_name, shift_date) as workstation_name
    from workstation_shifts
    group by all

)

select
    state_intervals.site_id || '/' || strftime(state_intervals.shift_date, '%Y-%m-%d') || '/'
    || state_intervals.shift_id as part,
    state_intervals.site_id,
    state_intervals.shift_date,
    state_intervals.shift_id,
    state_intervals.worker_id,
    coalesce(workers.worker_name, state_intervals.worker_id) as worker_name,
    state_intervals.workstation_id,
    coalesce(stations.workstation_name, state_intervals.workstation_id) as workstation_name,
    state_intervals.state,
    epoch_ms(state_intervals.started_at) as started_ms,
    cast(epoch_ms(state_intervals.ended_at) - epoch_ms(state_intervals.started_at) as integer) as lasted_ms
from state_intervals
cross join newest
left join workers
    on state_intervals.site_id = workers.site_id and state_intervals.worker_id = workers.worker_id
left join stations
    on state_intervals.site_id = stations.site_id and state_intervals.workstation_id = stations.workstation_id
where state_intervals.shift_date > newest.shift_date - 31 and state_intervals.ended_at > state_intervals.started_at
order by part, state_intervals.worker_id, state_intervals.started_at
