with seen as (

    select
        count(*)::double as windows,
        sum(working_seconds) / nullif(sum(occupancy_seconds), 0) as utilization,
        sum(occupancy_seconds) as occupancy_seconds,
        sum(staffed_seconds) as staffed_seconds,
        sum(observed_seconds) < 0.9 * sum(staffed_seconds) as is_thin,
        sum(observed_seconds) / nullif(sum(staffed_seconds), 0) as evidence,
        sum(units)::double as units,
        3600 * sum(units)::double / nullif(sum(occupancy_seconds), 0) as throughput_per_hour
    from plant.workstation_shifts
    where site_id = $site and workstation_id = $station and ($shift is null or shift_id = $shift) and shift_date between $from_date and $to_date

),

targeted as (

    select
        count(*)::double as targeted_windows,
        sum(target_units_so_far) as target_units,
        sum(units)::double / nullif(sum(target_units_so_far), 0) as attainment
    from plant.station_targets
    where site_id = $site and workstation_id = $station and ($shift is null or shift_id = $shift) and shift_date between $from_date and $to_date

)

select
    seen.*,
    targeted.target_units,
    targeted.attainment
from seen
cross join targeted
