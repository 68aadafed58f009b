select
    strftime(shift_date, '%Y-%m-%d') as shift_date,
    sum(active_seconds) / nullif(sum(present_seconds), 0) as "Utilization",
    sum(units)::double as "Units",
    sum(active_seconds) / 3600 as "Active",
    sum(idle_seconds) / 3600 as "Idle",
    sum(absent_seconds) / 3600 as "Absent"
from plant.worker_shifts
where ${inputs.site.matches} and ${inputs.shift.matches} and ${inputs.period.matches}
group by 1
order by 1
