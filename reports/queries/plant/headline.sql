-- One row per site and kind: its newest complete scheduled window, and the newest started one that is not complete.
with newest as (

    select
        *,
        row_number() over (
            partition by site_id, is_complete order by shift_date desc, started_ms desc nulls last, shift_id
        ) as place
    from plant.site_windows
    where shift_id <> 'unscheduled'

)

select
    site_id,
    is_complete,
    strftime(shift_date, '%Y-%m-%d') as shift_date,
    shift_id,
    started_ms,
    ended_ms,
    units::double as units,
    target_units,
    target_units_so_far,
    targeted_units::double as targeted_units,
    targeted_units::double / nullif(target_units_so_far, 0) as attainment,
    targeted_units::double - target_units_so_far as gap,
    empty_stations::double as empty_stations,
    target_stations::double as target_stations,
    active_seconds / nullif(present_seconds, 0) as utilization,
    present_seconds / nullif(tracked_seconds, 0) as attendance,
    observed_seconds / nullif(scheduled_seconds, 0) as coverage,
    vouched_seconds < 0.9 * claimed_seconds as is_thin,
    vouched_seconds / nullif(claimed_seconds, 0) as evidence,
    worker_count::double as workers,
    workstation_count::double as stations
from newest
where place = 1
order by is_complete, newest.shift_date desc, site_id
