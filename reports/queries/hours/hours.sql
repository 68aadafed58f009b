-- One row per hour of the shift: all stations, or the one chosen. The gap is between the target so far and the units of
-- stations with a target; the output of other stations counts only as units.
with hours as (

    select
        hour_ms,
        sum(units)::double as units,
        sum(target_units)::double as target_units,
        sum(target_units_so_far)::double as target_units_so_far,
        (sum(units) filter (where target_units is not null))::double as targeted_units,
        sum(working_seconds) as working_seconds,
        sum(idle_seconds) as idle_seconds,
        sum(observed_seconds) as observed_seconds,
        sum(staffed_seconds) as staffed_seconds
    from plant.station_hours
    where site_id = $site and shift_date = $shift_date and shift_id = $window_shift and ($station is null or workstation_id = $station)
    group by hour_ms

)

select
    hour_ms::double as hour_ms,
    units,
    target_units,
    target_units_so_far,
    targeted_units,
    targeted_units - target_units_so_far as gap,
    sum(units) over (order by hour_ms) as cumulative_units,
    sum(target_units) over (order by hour_ms) as cumulative_target_units,
    sum(target_units_so_far) over (order by hour_ms) as cumulative_target_units_so_far,
    sum(targeted_units) over (order by hour_ms) as cumulative_targeted_units,
    sum(targeted_units) over (order by hour_ms) - sum(target_units_so_far) over (order by hour_ms) as cumulative_gap,
    working_seconds,
    idle_seconds,
    observed_seconds < 0.9 * staffed_seconds as is_thin,
    observed_seconds / nullif(staffed_seconds, 0) as evidence
from hours
order by hour_ms
