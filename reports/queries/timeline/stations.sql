-- The states of anybody at every station in the shift.
select
    workstation_id as lane,
    workstation_name as label,
    state,
    is_seen,
    worker_name as place,
    started_ms::double as started_ms,
    (started_ms + lasted_ms)::double as ended_ms
from plant.intervals
where site_id = $site and shift_date = $shift_date and shift_id = $window_shift and ($station is null or workstation_id = $station) and ($worker is null or worker_id = $worker)
    and state <> 'absent'
order by workstation_name, workstation_id, state desc, started_ms
