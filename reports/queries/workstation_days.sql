select
    strftime(shift_date, '%Y-%m-%d') as shift_date,
    sum(units)::double as "Units",
    sum(working_seconds) / 3600 as "Working",
    sum(idle_seconds) / 3600 as "Idle"
from plant.workstation_shifts
where site_id = '${params.site.replaceAll("'", "''")}'
    and workstation_id = '${params.workstation.replaceAll("'", "''")}'
    and ${inputs.shift.matches} and ${inputs.period.matches}
group by 1
order by 1
