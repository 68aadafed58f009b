select
    strftime(shift_date, '%Y-%m-%d') as shift_date,
    sum(active_seconds) / nullif(sum(present_seconds), 0) as "Utilization",
    sum(active_seconds) / 3600 as "Active",
    sum(idle_seconds) / 3600 as "Idle",
    sum(absent_seconds) / 3600 as "Absent"
from plant.worker_shifts
where site_id = '${params.site.replaceAll("'", "''")}' and worker_id = '${params.worker.replaceAll("'", "''")}'
    and ${inputs.shift.matches} and ${inputs.period.matches}
group by 1
order by 1
