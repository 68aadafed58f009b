-- The shift's states at the station, a row per worker and state.
select
    worker_id as lane,
    worker_name as label,
    state,
    is_seen,
    workstation_name as place,
    started_ms::double as started_ms,
    (started_ms + lasted_ms)::double as ended_ms
from plant.intervals
where site_id = $site and workstation_id = $station and shift_date = $shift_date and shift_id = $window_shift
order by worker_name, worker_id, started_ms
