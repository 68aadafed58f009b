-- The window of the timeline that the page opens with: the newest scheduled one of the selection, else the newest.
select
    strftime(worker_shifts.shift_date, '%Y-%m-%d') as shift_date,
    worker_shifts.shift_id as window_shift
from plant.worker_shifts
left join plant.site_windows using (site_id, shift_date, shift_id)
where
    site_id = $site
    and worker_id = $worker
    and ($shift is null or shift_id = $shift)
    and shift_date between $from_date and $to_date
order by worker_shifts.shift_date desc, shift_id = 'unscheduled', site_windows.started_ms desc, shift_id
limit 1
