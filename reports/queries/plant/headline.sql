-- One row per site and kind: its newest scheduled window that is complete, and the one that still runs.
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
    not is_complete as is_running,
    strftime(shift_date, '%Y-%m-%d') as shift_date,
    shift_id,
    started_ms,
    ended_ms,
    units::double as units,
    target_units,
    targeted_units::double as targeted_units,
    targeted_units::double / nullif(target_units, 0) as attainment,
    active_seconds / nullif(present_seconds, 0) as utilization,
    present_seconds / nullif(tracked_seconds, 0) as attendance,
    observed_seconds / nullif(scheduled_seconds, 0) as coverage,
    worker_count as workers,
    workstation_count as stations
from newest
where place = 1
order by is_running desc, newest.shift_date desc, site_id
