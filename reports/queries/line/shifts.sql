-- One row per window in which a station of the line was seen or had a target.
with seen as (

    select
        shift_date,
        shift_id,
        count(*)::double as stations,
        sum(working_seconds) / nullif(sum(occupancy_seconds), 0) as utilization,
        sum(observed_seconds) < 0.9 * sum(staffed_seconds) as is_thin,
        sum(observed_seconds) / nullif(sum(staffed_seconds), 0) as evidence,
        sum(units)::double as units
    from plant.workstation_shifts
    where site_id = $site and line = $line and ($shift is null or shift_id = $shift) and shift_date between $from_date and $to_date
    group by workstation_shifts.shift_date, shift_id

),

targeted as (

    select
        shift_date,
        shift_id,
        sum(target_units_so_far) as target_units,
        sum(units)::double / nullif(sum(target_units_so_far), 0) as attainment,
        sum(unstaffed_seconds) as unstaffed_seconds,
        sum(not_seen_seconds) as not_seen_seconds
    from plant.station_targets
    where site_id = $site and line = $line and ($shift is null or shift_id = $shift) and shift_date between $from_date and $to_date
    group by station_targets.shift_date, shift_id
    having sum(target_units_so_far) > 0

)

select
    strftime(coalesce(seen.shift_date, targeted.shift_date), '%Y-%m-%d') as shift_date,
    coalesce(seen.shift_id, targeted.shift_id) as shift_id,
    coalesce(seen.stations, 0) as stations,
    seen.utilization,
    seen.is_thin,
    seen.evidence,
    coalesce(seen.units, 0) as units,
    targeted.target_units,
    targeted.attainment,
    targeted.unstaffed_seconds,
    targeted.not_seen_seconds
from seen
full outer join targeted on seen.shift_date = targeted.shift_date and seen.shift_id = targeted.shift_id
order by coalesce(seen.shift_date, targeted.shift_date) desc, coalesce(seen.shift_id, targeted.shift_id)
