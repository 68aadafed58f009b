-- One row per station and hour of the shift.
select
    workstation_id,
    workstation_name,
    hour_ms::double as hour_ms,
    units::double as units,
    target_units,
    target_units_so_far,
    observed_seconds,
    coverage,
    observed_seconds < 0.9 * staffed_seconds as is_thin,
    observed_seconds / nullif(staffed_seconds, 0) as evidence
from plant.station_hours
where site_id = $site and shift_date = $shift_date and shift_id = $window_shift and ($station is null or workstation_id = $station)
order by workstation_name, workstation_id, hour_ms
