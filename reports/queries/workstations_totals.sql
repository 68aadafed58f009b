select
    count(*)::double as windows,
    sum(working_seconds) / nullif(sum(occupancy_seconds), 0) as utilization,
    sum(occupancy_seconds) / 3600 as occupancy_hours,
    sum(staffed_seconds) / 3600 as staffed_hours,
    sum(units)::double as units,
    3600 * sum(units)::double / nullif(sum(occupancy_seconds), 0) as throughput_per_hour,
    count(distinct site_id || chr(31) || workstation_id)::double as workstations
from plant.workstation_shifts
where ${inputs.site.matches} and ${inputs.shift.matches} and ${inputs.period.matches}
