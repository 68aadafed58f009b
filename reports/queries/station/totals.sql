select
    count(*)::double as windows,
    sum(working_seconds) / nullif(sum(occupancy_seconds), 0) as utilization,
    sum(occupancy_seconds) as occupancy_seconds,
    sum(staffed_seconds) as staffed_seconds,
    sum(units)::double as units,
    sum(target_units)::double as target_units,
    sum(units) filter (where target_units is not null)::double / nullif(sum(target_units), 0) as attainment,
    3600 * sum(units)::double / nullif(sum(occupancy_seconds), 0) as throughput_per_hour
from plant.workstation_shifts
where site_id = $site and workstation_id = $station and ($shift is null or shift_id = $shift) and shift_date between $from_date and $to_date
