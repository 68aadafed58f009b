-- Only finished shifts, so that no partial shift is compared with a whole one.
-- One row per site, per shift of a site, per day of the week (Monday is 1) and per week (its Monday); `grouped_by` says
-- which. Ratios are ratios of the sums.
with windows as (
    select
        *,
        isodow(shift_date)::double as weekday,
        strftime(date_trunc('week', shift_date)::date, '%Y-%m-%d') as week
    from plant.site_windows
    where ($site is null or site_id = $site) and ($shift is null or shift_id = $shift)
        and shift_date between $from_date and $to_date and is_complete
)

select
    case
        when grouping(week) = 0 then 'week'
        when grouping(weekday) = 0 then 'weekday'
        when grouping(shift_id) = 0 then 'shift'
        else 'site'
    end as grouped_by,
    site_id,
    shift_id,
    weekday,
    week,
    count(*)::double as windows,
    sum(vouched_seconds) < 0.9 * sum(claimed_seconds) as is_thin,
    sum(vouched_seconds) / nullif(sum(claimed_seconds), 0) as evidence,
    sum(units)::double as units,
    sum(units)::double / count(distinct shift_date) as units_per_date,
    sum(targeted_units)::double / nullif(sum(target_units_so_far), 0) as attainment,
    sum(active_seconds) / nullif(sum(present_seconds), 0) as utilization,
    3600 * sum(units)::double / nullif(sum(active_seconds), 0) as units_per_productive_hour,
    sum(present_seconds) filter (where tracked_seconds is not null) / nullif(sum(tracked_seconds), 0) as attendance,
    sum(observed_seconds) / nullif(sum(scheduled_seconds), 0) as coverage
from windows
group by grouping sets ((site_id), (site_id, shift_id), (weekday), (week))
order by grouped_by, site_id, shift_id, weekday, week
