-- The states of all workers in the shift.
select
    worker_id as lane,
    worker_name as label,
    state,
    is_seen,
    workstation_name as place,
    started_ms::double as started_ms,
    (started_ms + lasted_ms)::double as ended_ms
from plant.intervals
where site_id = $site and shift_date = $shift_date and shift_id = $window_shift and ($station is null or workstation_id = $station) and ($worker is null or worker_id = $worker)
order by worker_name, worker_id, started_ms
