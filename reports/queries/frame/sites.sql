-- One row per site with data: its time zone, its newest data, and the default shift of single-shift pages: the newest
-- complete scheduled one, else the newest.
with activity as (

    select
        site_id,
        max(started_at) as last_activity_at
    from state_intervals
    group by site_id

),

hours as (

    select
        site_id,
        max(hour) as last_hour
    from hourly_output
    group by site_id

),

windows as (

    select
        site_id,
        max(shift_date) as newest_date,
        arg_max(
            struct_pack(shift_date, shift_id),
            struct_pack(
                is_over := shift_id <> 'unscheduled' and is_complete,
                is_scheduled := shift_id <> 'unscheduled',
                shift_date := shift_date,
                started_ms := coalesce(started_ms, 0),
                shift_id := shift_id
            )
        ) as focus
    from plant.site_windows
    group by site_id

)

select
    windows.site_id,
    coalesce(sites.site_name, windows.site_id) as name,
    coalesce(sites.timezone, 'UTC') as timezone,
    epoch_ms(coalesce(sites.last_event_at, activity.last_activity_at, hours.last_hour)) as last_activity_ms,
    strftime(windows.newest_date, '%Y-%m-%d') as newest_date,
    strftime(windows.focus.shift_date, '%Y-%m-%d') as focus_date,
    windows.focus.shift_id as focus_shift,
    windows.site_id in (select site_id from worker_shifts) as has_workers
from windows
left join sites
    on windows.site_id = sites.site_id
left join activity
    on windows.site_id = activity.site_id
left join hours
    on windows.site_id = hours.site_id
order by name, windows.site_id
