select
    count(*)::double as windows,
    count(distinct site_id || chr(31) || workstation_id)::double as stations,
    sum(working_seconds) / nullif(sum(occupancy_seconds), 0) as utilization,
    sum(occupancy_seconds) as occupancy_seconds,
    sum(staffed_seconds) as staffed_seconds,
    sum(units)::double as units,
    3600 * sum(units)::double / nullif(sum(occupancy_seconds), 0) as throughput_per_hour,
    sum(units) filter (where target_units is not null)::double / nullif(sum(target_units), 0) as attainment
from plant.workstation_shifts
where ($site is null or site_id = $site) and ($shift is null or shift_id = $shift)
    and shift_date between $from_date and $to_date
