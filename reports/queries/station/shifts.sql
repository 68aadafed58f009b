select
    strftime(shift_date, '%Y-%m-%d') as shift_date,
    shift_id,
    worker_count::double as workers,
    working_seconds / nullif(occupancy_seconds, 0) as utilization,
    occupancy_seconds,
    staffed_seconds,
    units::double as units,
    target_units,
    units::double / nullif(target_units, 0) as attainment,
    3600 * units::double / nullif(occupancy_seconds, 0) as throughput_per_hour
from plant.workstation_shifts
where site_id = $site and workstation_id = $station and ($shift is null or shift_id = $shift) and shift_date between $from_date and $to_date
order by workstation_shifts.shift_date desc, shift_id
