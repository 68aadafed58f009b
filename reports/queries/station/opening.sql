-- The window of the timeline that the page opens with: the newest scheduled one of the selection, else the newest.
select
    strftime(workstation_shifts.shift_date, '%Y-%m-%d') as shift_date,
    workstation_shifts.shift_id as window_shift
from plant.workstation_shifts
left join plant.site_windows using (site_id, shift_date, shift_id)
where
    site_id = $site
    and workstation_id = $station
    and ($shift is null or shift_id = $shift)
    and shift_date between $from_date and $to_date
order by workstation_shifts.shift_date desc, shift_id = 'unscheduled', site_windows.started_ms desc, shift_id
limit 1
