-- One row per site and workstation of the selection, by name.
select
    workstation_path,
    workstation_name,
    site_id,
    station_type,
    registration,
    count(*)::double as windows,
    sum(working_seconds) / 3600 as working_hours,
    sum(occupancy_seconds) / 3600 as occupancy_hours,
    sum(staffed_seconds) / 3600 as staffed_hours,
    sum(working_seconds) / nullif(sum(occupancy_seconds), 0) as utilization,
    sum(units)::double as units,
    3600 * sum(units)::double / nullif(sum(occupancy_seconds), 0) as throughput_per_hour
from plant.workstation_shifts
where ${inputs.site.matches} and ${inputs.shift.matches} and ${inputs.period.matches}
group by workstation_path, workstation_name, site_id, station_type, registration
order by workstation_name, site_id
