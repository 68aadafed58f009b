select
    strftime(shift_date, '%Y-%m-%d') as shift_date,
    sum(units)::double as units,
    sum(target_units)::double as target_units,
    sum(working_seconds) / nullif(sum(occupancy_seconds), 0) as utilization,
    sum(working_seconds) / 3600 as working_hours,
    sum(idle_seconds) / 3600 as idle_hours
from plant.workstation_shifts
where site_id = $site and workstation_id = $station and ($shift is null or shift_id = $shift) and shift_date between $from_date and $to_date
group by workstation_shifts.shift_date
order by workstation_shifts.shift_date
