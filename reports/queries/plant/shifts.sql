-- One row per site and window, the newest first.
select
    strftime(shift_date, '%Y-%m-%d') as shift_date,
    site_id,
    shift_id,
    worker_count::double as workers,
    workstation_count::double as stations,
    units::double as units,
    target_units_so_far,
    targeted_units::double as targeted_units,
    targeted_units::double / nullif(target_units_so_far, 0) as attainment,
    is_complete,
    vouched_seconds < 0.9 * claimed_seconds as is_thin,
    vouched_seconds / nullif(claimed_seconds, 0) as evidence,
    if(is_complete, '', 'not over yet') as state,
    active_seconds,
    3600 * units::double / nullif(active_seconds, 0) as units_per_productive_hour,
    active_seconds / nullif(present_seconds, 0) as utilization,
    average_utilization,
    present_seconds / nullif(tracked_seconds, 0) as attendance,
    observed_seconds / nullif(scheduled_seconds, 0) as coverage
from plant.site_windows
where ($site is null or site_id = $site) and ($shift is null or shift_id = $shift)
    and shift_date between $from_date and $to_date
order by site_windows.shift_date desc, site_id, started_ms desc nulls last, shift_id
