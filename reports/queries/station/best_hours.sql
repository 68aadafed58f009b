-- The station's hours of the selection with output, the most units first.
select
    hour_ms::double as hour_ms,
    strftime(shift_date, '%Y-%m-%d') as shift_date,
    shift_id,
    units::double as units,
    target_units_so_far as target_units,
    coverage,
    working_seconds,
    idle_seconds,
    observed_seconds < 0.9 * staffed_seconds as is_thin,
    observed_seconds / nullif(staffed_seconds, 0) as evidence
from plant.station_hours
where site_id = $site and workstation_id = $station and ($shift is null or shift_id = $shift) and shift_date between $from_date and $to_date and working_seconds > 0
order by station_hours.units desc, hour_ms
