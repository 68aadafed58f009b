-- One row per shift date. Only the target so far counts, so that an unfinished date does not look like a failure.
with dates as (

    select
        shift_date,
        bool_and(is_complete) as is_complete
    from plant.site_windows
    where site_id = $site and ($shift is null or shift_id = $shift) and shift_date between $from_date and $to_date
    group by site_windows.shift_date

),

seen as (

    select
        shift_date,
        sum(units)::double as units,
        sum(working_seconds) / nullif(sum(occupancy_seconds), 0) as utilization,
        sum(working_seconds) / 3600 as working_hours,
        sum(idle_seconds) / 3600 as idle_hours,
        sum(observed_seconds) < 0.9 * sum(staffed_seconds) as is_thin,
        sum(observed_seconds) / nullif(sum(staffed_seconds), 0) as evidence
    from plant.workstation_shifts
    where site_id = $site and line = $line and ($shift is null or shift_id = $shift) and shift_date between $from_date and $to_date
    group by workstation_shifts.shift_date

),

targeted as (

    select
        shift_date,
        sum(target_units_so_far) as target_units
    from plant.station_targets
    where site_id = $site and line = $line and ($shift is null or shift_id = $shift) and shift_date between $from_date and $to_date
    group by station_targets.shift_date

)

select
    strftime(coalesce(seen.shift_date, targeted.shift_date), '%Y-%m-%d') as shift_date,
    coalesce(seen.units, 0) as units,
    targeted.target_units,
    coalesce(dates.is_complete, true) as is_complete,
    seen.is_thin,
    seen.evidence,
    seen.utilization,
    seen.working_hours,
    seen.idle_hours
from seen
full outer join targeted on seen.shift_date = targeted.shift_date
left join dates on coalesce(seen.shift_date, targeted.shift_date) = dates.shift_date
order by coalesce(seen.shift_date, targeted.shift_date)
