-- One row per site and worker of the selection, by name: not a ranking.
select
    site_id,
    worker_id,
    max(worker_name) as worker_name,
    if(bool_and(is_registered), '', 'not registered') as registration,
    count(*)::double as windows,
    sum(observed_seconds) filter (where scheduled_seconds is not null) / nullif(sum(scheduled_seconds), 0) as coverage,
    sum(active_seconds) as active_seconds,
    sum(idle_seconds) as idle_seconds,
    sum(absent_seconds) as absent_seconds,
    sum(observed_seconds) < 0.9 * sum(tracked_seconds) as is_thin,
    sum(observed_seconds) / nullif(sum(tracked_seconds), 0) as evidence,
    sum(active_seconds) / nullif(sum(present_seconds), 0) as utilization,
    sum(present_seconds) / nullif(sum(tracked_seconds), 0) as attendance,
    sum(units)::double as units,
    3600 * sum(units)::double / nullif(sum(active_seconds), 0) as units_per_active_hour
from plant.worker_shifts
where ($site is null or site_id = $site) and ($shift is null or shift_id = $shift)
    and shift_date between $from_date and $to_date
group by site_id, worker_id
order by worker_name, site_id, worker_id
