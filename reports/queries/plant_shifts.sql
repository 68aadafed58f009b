select
    strftime(shift_date, '%Y-%m-%d') as shift_date,
    site_id,
    shift_id,
    worker_count::double as workers,
    workstation_count::double as workstations,
    productive_seconds / 3600 as productive_hours,
    units::double as units,
    3600 * units::double / nullif(productive_seconds, 0) as units_per_productive_hour,
    average_utilization
from plant.site_shifts
where ${inputs.site.matches} and ${inputs.shift.matches} and ${inputs.period.matches}
order by shift_date desc, site_id, shift_id
