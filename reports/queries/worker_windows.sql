select
    strftime(shift_date, '%Y-%m-%d') as shift_date,
    shift_id,
    worker_id,
    worker_name,
    registration,
    active_seconds / 3600 as active_hours,
    idle_seconds / 3600 as idle_hours,
    absent_seconds / 3600 as absent_hours,
    active_seconds / nullif(present_seconds, 0) as utilization,
    present_seconds / nullif(tracked_seconds, 0) as attendance,
    active_seconds / scheduled_seconds as shift_utilization,
    units::double as units,
    3600 * units::double / nullif(active_seconds, 0) as units_per_active_hour
from plant.worker_shifts
where site_id = '${params.site.replaceAll("'", "''")}' and worker_id = '${params.worker.replaceAll("'", "''")}'
    and ${inputs.shift.matches} and ${inputs.period.matches}
order by shift_date desc, shift_id
