with seen as (

    select
        count(*)::double as windows,
        count(distinct site_id || chr(31) || workstation_id)::double as stations,
        sum(working_seconds) / nullif(sum(occupancy_seconds), 0) as utilization,
        sum(occupancy_seconds) as occupancy_seconds,
        sum(staffed_seconds) as staffed_seconds,
        sum(observed_seconds) < 0.9 * sum(staffed_seconds) as is_thin,
        sum(observed_seconds) / nullif(sum(staffed_seconds), 0) as evidence,
        sum(units)::double as units,
        3600 * sum(units)::double / nullif(sum(occupancy_seconds), 0) as throughput_per_hour
    from plant.workstation_shifts
    where site_id = $site and line = $line and ($shift is null or shift_id = $shift)
        and shift_date between $from_date and $to_date

),

-- every station that has a target, seen or not
targeted as (

    select
        sum(units)::double / nullif(sum(target_units_so_far), 0) as attainment,
        (count(distinct site_id || chr(31) || workstation_id) filter (where staffed_seconds = 0 and target_units_so_far > 0))
            ::double as empty_stations
    from plant.station_targets
    where site_id = $site and line = $line and ($shift is null or shift_id = $shift)
        and shift_date between $from_date and $to_date

)

select *
from seen
cross join targeted
