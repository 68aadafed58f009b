-- Ratios over several windows are ratios of the sums.
select
    count(*)::double as windows,
    sum(units)::double as units,
    sum(target_units_so_far)::double as target_units_so_far,
    sum(targeted_units)::double / nullif(sum(target_units_so_far), 0) as attainment,
    sum(vouched_seconds) < 0.9 * sum(claimed_seconds) as is_thin,
    sum(vouched_seconds) / nullif(sum(claimed_seconds), 0) as evidence,
    sum(active_seconds) / nullif(sum(present_seconds), 0) as utilization,
    sum(active_seconds) as active_seconds,
    3600 * sum(units)::double / nullif(sum(active_seconds), 0) as units_per_productive_hour,
    sum(present_seconds) filter (where tracked_seconds is not null) / nullif(sum(tracked_seconds), 0) as attendance,
    sum(observed_seconds) / nullif(sum(scheduled_seconds), 0) as coverage
from plant.site_windows
where ($site is null or site_id = $site) and ($shift is null or shift_id = $shift)
    and shift_date between $from_date and $to_date
