-- One row per site and workstation of the selection, by name.
select
    site_id,
    workstation_id,
    max(workstation_name) as workstation_name,
    max(station_type) as station_type,
    if(bool_and(is_registered), '', 'not registered') as registration,
    count(*)::double as windows,
    sum(working_seconds) / nullif(sum(occupancy_seconds), 0) as utilization,
    sum(working_seconds) as working_seconds,
    sum(occupancy_seconds) as occupancy_seconds,
    sum(staffed_seconds) as staffed_seconds,
    sum(units)::double as units,
    sum(target_units)::double as target_units,
    sum(units) filter (where target_units is not null)::double / nullif(sum(target_units), 0) as attainment,
    3600 * sum(units)::double / nullif(sum(occupancy_seconds), 0) as throughput_per_hour
from plant.workstation_shifts
where ($site is null or site_id = $site) and ($shift is null or shift_id = $shift)
    and shift_date between $from_date and $to_date
group by site_id, workstation_id
order by workstation_name, site_id, workstation_id
