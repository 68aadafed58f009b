-- One row per site, window and worker. `days_ago` counts shift dates back from the newest one of the site, so that
-- "the last 7 days" means the same for sites in different time zones.
select
    site_id,
    shift_date,
    cast(max(shift_date) over (partition by site_id) - shift_date as integer) as days_ago,
    shift_id,
    worker_id,
    worker_name,
    if(is_registered, '', 'not registered') as registration,
    '/workers/' || url_encode(site_id) || '/' || url_encode(worker_id) as worker_path,
    active_seconds,
    idle_seconds,
    absent_seconds,
    present_seconds,
    tracked_seconds,
    scheduled_seconds,
    units,
    event_count
from worker_shifts
order by site_id, shift_date, shift_id, worker_id
