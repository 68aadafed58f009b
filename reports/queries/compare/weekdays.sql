-- One row per day of the week, Monday first of the selection; ratios are ratios of the sums.
select
    isodow(shift_date)::double as weekday,
    count(*)::double as windows,
    sum(units)::double as units,
    sum(units)::double / count(distinct shift_date) as units_per_date,
    sum(targeted_units)::double / nullif(sum(target_units), 0) as attainment,
    sum(active_seconds) / nullif(sum(present_seconds), 0) as utilization,
    3600 * sum(units)::double / nullif(sum(active_seconds), 0) as units_per_productive_hour,
    sum(present_seconds) filter (where tracked_seconds is not null) / nullif(sum(tracked_seconds), 0) as attendance,
    sum(observed_seconds) / nullif(sum(scheduled_seconds), 0) as coverage
from plant.site_windows
where ($site is null or site_id = $site) and ($shift is null or shift_id = $shift)
    and shift_date between $from_date and $to_date
group by isodow(shift_date)
order by isodow(shift_date)
