-- One row per shift date with anything of the person; a date that is not over yet says so.
with dates as (

    select
        shift_date,
        bool_and(is_complete) as is_complete
    from plant.site_windows
    where site_id = $site and ($shift is null or shift_id = $shift) and shift_date between $from_date and $to_date
    group by site_windows.shift_date

),

own as (

    select
        shift_date,
        sum(active_seconds) / 3600 as active_hours,
        sum(idle_seconds) / 3600 as idle_hours,
        sum(absent_seconds) / 3600 as absent_hours,
        sum(active_seconds) / nullif(sum(present_seconds), 0) as utilization,
        sum(observed_seconds) filter (where scheduled_seconds is not null) / nullif(sum(scheduled_seconds), 0) as coverage,
        sum(observed_seconds) < 0.9 * sum(tracked_seconds) as is_thin,
        sum(observed_seconds) / nullif(sum(tracked_seconds), 0) as evidence
    from plant.worker_shifts
    where site_id = $site and worker_id = $worker and ($shift is null or shift_id = $shift) and shift_date between $from_date and $to_date
    group by worker_shifts.shift_date

)

select
    own.* replace (strftime(own.shift_date, '%Y-%m-%d') as shift_date),
    coalesce(dates.is_complete, true) as is_complete
from own
left join dates on own.shift_date = dates.shift_date
order by own.shift_date
