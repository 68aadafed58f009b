-- Ratios over several windows are ratios of the sums.
select
    count(*)::double as windows,
    sum(active_seconds) / nullif(sum(present_seconds), 0) as utilization,
    sum(present_seconds) / nullif(sum(tracked_seconds), 0) as attendance,
    sum(tracked_seconds) filter (where scheduled_seconds is not null) / nullif(sum(scheduled_seconds), 0) as seen,
    sum(active_seconds) / 3600 as active_hours,
    sum(units)::double as units,
    3600 * sum(units)::double / nullif(sum(active_seconds), 0) as units_per_productive_hour,
    count(distinct site_id || chr(31) || worker_id)::double as workers
from plant.worker_shifts
where ${inputs.site.matches} and ${inputs.shift.matches} and ${inputs.period.matches}
