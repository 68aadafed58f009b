select
    strftime(shift_date, '%Y-%m-%d') as shift_date,
    sum(active_seconds) / 3600 as active_hours,
    sum(idle_seconds) / 3600 as idle_hours,
    sum(absent_seconds) / 3600 as absent_hours,
    sum(active_seconds) / nullif(sum(present_seconds), 0) as utilization,
    sum(observed_seconds) filter (where scheduled_seconds is not null) / nullif(sum(scheduled_seconds), 0) as coverage
from plant.worker_shifts
where site_id = $site and worker_id = $worker and ($shift is null or shift_id = $shift) and shift_date between $from_date and $to_date
group by worker_shifts.shift_date
order by worker_shifts.shift_date
