-- The newest shift date of the worker, hour by hour.
select
    strftime(hour, '%Y-%m-%d %H:00') as hour_utc,
    strftime(shift_date, '%Y-%m-%d') as shift_date,
    sum(active_seconds) / 60 as "Active",
    sum(idle_seconds) / 60 as "Idle",
    sum(absent_seconds) / 60 as "Absent"
from plant.worker_hours
where site_id = '${params.site.replaceAll("'", "''")}' and worker_id = '${params.worker.replaceAll("'", "''")}'
    and shift_date = (
        select max(shift_date) from plant.worker_hours
        where site_id = '${params.site.replaceAll("'", "''")}' and worker_id = '${params.worker.replaceAll("'", "''")}'
    )
group by hour, shift_date
order by hour
