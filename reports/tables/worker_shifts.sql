-- One row per site, window and worker, a file for each month of shift dates.
select
    strftime(shift_date, '%Y-%m') as part,
    site_id,
    shift_date,
    shift_id,
    worker_id,
    worker_name,
    is_registered,
    active_seconds,
    idle_seconds,
    absent_seconds,
    present_seconds,
    tracked_seconds,
    scheduled_seconds,
    observed_seconds,
    units,
    event_count
from worker_shifts
order by shift_date, site_id, shift_id, worker_id
