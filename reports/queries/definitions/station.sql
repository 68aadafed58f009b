-- The station with the most occupancy of the newest shift date, for the worked example.
select
    site_id,
    workstation_name,
    strftime(shift_date, '%Y-%m-%d') as shift_date,
    shift_id,
    working_seconds,
    occupancy_seconds,
    staffed_seconds,
    units::double as units,
    working_seconds / nullif(occupancy_seconds, 0) as utilization,
    3600 * units::double / nullif(occupancy_seconds, 0) as throughput_per_hour
from workstation_shifts
where occupancy_seconds > 0 and shift_id <> 'unscheduled'
order by workstation_shifts.shift_date desc, occupancy_seconds desc, site_id, workstation_id
limit 1
