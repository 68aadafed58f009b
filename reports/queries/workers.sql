-- One row per site and worker of the selection, by name: not a ranking.
select
    worker_path,
    worker_name,
    site_id,
    registration,
    count(*)::double as windows,
    sum(active_seconds) / 3600 as active_hours,
    sum(idle_seconds) / 3600 as idle_hours,
    sum(absent_seconds) / 3600 as absent_hours,
    sum(active_seconds) / nullif(sum(present_seconds), 0) as utilization,
    sum(present_seconds) / nullif(sum(tracked_seconds), 0) as attendance,
    sum(tracked_seconds) filter (where scheduled_seconds is not null) / nullif(sum(scheduled_seconds), 0) as seen,
    sum(units)::double as units,
    3600 * sum(units)::double / nullif(sum(active_seconds), 0) as units_per_active_hour
from plant.worker_shifts
where ${inputs.site.matches} and ${inputs.shift.matches} and ${inputs.period.matches}
group by worker_path, worker_name, site_id, registration
order by worker_name, site_id
