-- The newest complete scheduled window, for the worked example.
select
    site_id,
    strftime(shift_date, '%Y-%m-%d') as shift_date,
    shift_id,
    active_seconds,
    present_seconds,
    tracked_seconds,
    observed_seconds,
    scheduled_seconds,
    units::double as units,
    targeted_units::double as targeted_units,
    target_units_so_far as target_units,
    active_seconds / nullif(present_seconds, 0) as utilization,
    present_seconds / nullif(tracked_seconds, 0) as attendance,
    observed_seconds / nullif(scheduled_seconds, 0) as coverage,
    3600 * units::double / nullif(active_seconds, 0) as units_per_productive_hour,
    targeted_units::double / nullif(target_units_so_far, 0) as attainment
from plant.site_windows
where shift_id <> 'unscheduled' and is_complete
order by site_windows.shift_date desc, started_ms desc nulls last, site_id, shift_id
limit 1
