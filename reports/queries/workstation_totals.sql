select
    count(*)::double as windows,
    sum(working_seconds) / nullif(sum(occupancy_seconds), 0) as utilization,
    sum(working_seconds) / 3600 as working_hours,
    sum(occupancy_seconds) / 3600 as occupancy_hours,
    sum(staffed_seconds) / 3600 as staffed_hours,
    sum(units)::double as units,
    3600 * sum(units)::double / nullif(sum(occupancy_seconds), 0) as throughput_per_hour
from plant.workstation_shifts
where site_id = '${params.site.replaceAll("'", "''")}'
    and workstation_id = '${params.workstation.replaceAll("'", "''")}'
    and ${inputs.shift.matches} and ${inputs.period.matches}
