select
    strftime(shift_date, '%Y-%m-%d') as shift_date,
    shift_id,
    worker_count::double as workers,
    working_seconds / 3600 as working_hours,
    occupancy_seconds / 3600 as occupancy_hours,
    staffed_seconds / 3600 as staffed_hours,
    working_seconds / nullif(occupancy_seconds, 0) as utilization,
    units::double as units,
    3600 * units::double / nullif(occupancy_seconds, 0) as throughput_per_hour
from plant.workstation_shifts
where site_id = '${params.site.replaceAll("'", "''")}'
    and workstation_id = '${params.workstation.replaceAll("'", "''")}'
    and ${inputs.shift.matches} and ${inputs.period.matches}
order by shift_date desc, shift_id
