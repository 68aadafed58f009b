select
    strftime(shift_date, '%Y-%m-%d') as shift_date,
    shift_id,
    observed_seconds / scheduled_seconds as coverage,
    observed_seconds < 0.9 * tracked_seconds as is_thin,
    observed_seconds / nullif(tracked_seconds, 0) as evidence,
    active_seconds,
    idle_seconds,
    absent_seconds,
    active_seconds / nullif(present_seconds, 0) as utilization,
    present_seconds / nullif(tracked_seconds, 0) as attendance,
    active_seconds / scheduled_seconds as shift_utilization,
    units::double as units,
    3600 * units::double / nullif(active_seconds, 0) as units_per_active_hour
from plant.worker_shifts
where site_id = $site and worker_id = $worker and ($shift is null or shift_id = $shift) and shift_date between $from_date and $to_date
order by worker_shifts.shift_date desc, shift_id
