-- One row per workstation of the line, by name: those that were seen, and those that have a target.
with seen as (

    select
        site_id,
        workstation_id,
        max(workstation_name) as workstation_name,
        max(station_type) as station_type,
        max(line) as line,
        bool_and(is_registered) as is_registered,
        count(*)::double as windows,
        sum(working_seconds) as working_seconds,
        sum(occupancy_seconds) as occupancy_seconds,
        sum(staffed_seconds) as staffed_seconds,
        sum(observed_seconds) as observed_seconds,
        sum(units)::double as units,
        string_agg(cast(units as varchar), ' ' order by shift_date, shift_id) as course
    from plant.workstation_shifts
    where site_id = $site and line = $line and ($shift is null or shift_id = $shift)
        and shift_date between $from_date and $to_date
    group by site_id, workstation_id

),

targeted as (

    select
        site_id,
        workstation_id,
        max(workstation_name) as workstation_name,
        max(line) as line,
        sum(units)::double as targeted_units,
        sum(target_units_so_far) as target_units
    from plant.station_targets
    where site_id = $site and line = $line and ($shift is null or shift_id = $shift)
        and shift_date between $from_date and $to_date
    group by site_id, workstation_id
    having sum(target_units_so_far) > 0

)

select
    site_id,
    workstation_id,
    coalesce(seen.workstation_name, targeted.workstation_name) as workstation_name,
    seen.station_type,
    coalesce(seen.line, targeted.line) as line,
    if(coalesce(seen.is_registered, true), '', 'not registered') as registration,
    if(seen.windows is null, 'nobody seen', '') as state,
    coalesce(seen.windows, 0) as windows,
    seen.working_seconds / nullif(seen.occupancy_seconds, 0) as utilization,
    seen.occupancy_seconds,
    seen.staffed_seconds,
    seen.observed_seconds / nullif(seen.staffed_seconds, 0) as evidence,
    seen.observed_seconds < 0.9 * seen.staffed_seconds as is_thin,
    coalesce(seen.units, 0) as units,
    seen.course,
    targeted.target_units,
    targeted.targeted_units / targeted.target_units as attainment,
    3600 * seen.units / nullif(seen.occupancy_seconds, 0) as throughput_per_hour
from seen
full outer join targeted using (site_id, workstation_id)
order by workstation_name, site_id, workstation_id
