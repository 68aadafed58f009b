-- The windows of the last 31 shift dates, by start: what a page of one shift can show.
select
    site_id,
    strftime(shift_date, '%Y-%m-%d') as shift_date,
    shift_id,
    started_ms,
    ended_ms
from plant.site_windows
where shift_date > (select max(site_windows.shift_date) from plant.site_windows) - 31
order by site_id, site_windows.shift_date, started_ms, shift_id
