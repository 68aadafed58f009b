-- The person's states in the shift, a row per station and state.
select
    workstation_id as lane,
    workstation_name as label,
    state,
    is_seen,
    workstation_name as place,
    started_ms::double as started_ms,
    (started_ms + lasted_ms)::double as ended_ms
from plant.intervals
where site_id = $site and worker_id = $worker and shift_date = $shift_date and shift_id = $window_shift
order by workstation_name, workstation_id, started_ms
