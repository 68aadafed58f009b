select
    count(*)::double as windows,
    count(distinct site_id || chr(31) || worker_id)::double as workers,
    sum(observed_seconds) < 0.9 * sum(tracked_seconds) as is_thin,
    sum(observed_seconds) / nullif(sum(tracked_seconds), 0) as evidence,
    sum(active_seconds) / nullif(sum(present_seconds), 0) as utilization,
    sum(present_seconds) / nullif(sum(tracked_seconds), 0) as attendance,
    sum(observed_seconds) filter (where scheduled_seconds is not null) / nullif(sum(scheduled_seconds), 0) as coverage,
    sum(units)::double as units
from plant.worker_shifts
where ($site is null or site_id = $site) and ($shift is null or shift_id = $shift)
    and shift_date between $from_date and $to_date
