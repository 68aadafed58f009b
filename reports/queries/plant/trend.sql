-- One row per shift date.
select
    strftime(shift_date, '%Y-%m-%d') as shift_date,
    sum(units)::double as units,
    sum(targeted_units)::double as targeted_units,
    sum(target_units_so_far)::double as target_units,
    bool_and(is_complete) as is_complete,
    sum(vouched_seconds) < 0.9 * sum(claimed_seconds) as is_thin,
    sum(vouched_seconds) / nullif(sum(claimed_seconds), 0) as evidence,
    sum(active_seconds) / nullif(sum(present_seconds), 0) as utilization,
    sum(present_seconds) filter (where tracked_seconds is not null) / nullif(sum(tracked_seconds), 0) as attendance,
    sum(observed_seconds) / nullif(sum(scheduled_seconds), 0) as coverage,
    sum(active_seconds) / 3600 as active_hours,
    (sum(present_seconds) - sum(active_seconds)) / 3600 as idle_hours,
    sum(absent_seconds) / 3600 as absent_hours
from plant.site_windows
where ($site is null or site_id = $site) and ($shift is null or shift_id = $shift)
    and shift_date between $from_date and $to_date
group by site_windows.shift_date
order by site_windows.shift_date
