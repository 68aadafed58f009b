-- One row per shift date: units, and how far the target so far was reached.
select
    strftime(shift_date, '%Y-%m-%d') as shift_date,
    sum(units)::double as units,
    sum(targeted_units)::double / nullif(sum(target_units_so_far), 0) as attainment,
    bool_and(is_complete) as is_complete,
    sum(vouched_seconds) < 0.9 * sum(claimed_seconds) as is_thin,
    sum(vouched_seconds) / nullif(sum(claimed_seconds), 0) as evidence
from plant.site_windows
where ($site is null or site_id = $site) and ($shift is null or shift_id = $shift)
    and shift_date between $from_date and $to_date
group by site_windows.shift_date
order by site_windows.shift_date
