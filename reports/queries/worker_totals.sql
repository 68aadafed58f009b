select
    count(*)::double as windows,
    sum(active_seconds) / nullif(sum(present_seconds), 0) as utilization,
    sum(present_seconds) / nullif(sum(tracked_seconds), 0) as attendance,
    sum(tracked_seconds) filter (where scheduled_seconds is not null) / nullif(sum(scheduled_seconds), 0) as seen,
    sum(active_seconds) / 3600 as active_hours,
    sum(units)::double as units,
    3600 * sum(units)::double / nullif(sum(active_seconds), 0) as units_per_active_hour,
    sum(event_count)::double as events
from plant.worker_shifts
where site_id = '${params.site.replaceAll("'", "''")}' and worker_id = '${params.worker.replaceAll("'", "''")}'
    and ${inputs.shift.matches} and ${inputs.period.matches}
