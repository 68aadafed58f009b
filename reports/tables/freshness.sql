-- One row per site: how far its data reaches. `published_at` is when the marts were published (UTC).
with activity as (

    select
        site_id,
        max(started_at at time zone 'UTC') as last_activity_at
    from state_intervals
    group by site_id

),

shift_dates as (

    select
        site_id,
        min(shift_date) as first_shift_date,
        max(shift_date) as last_shift_date
    from site_shifts
    group by site_id

)

select
    shift_dates.site_id,
    shift_dates.first_shift_date,
    shift_dates.last_shift_date,
    activity.last_activity_at
from shift_dates
left join activity
    on shift_dates.site_id = activity.site_id
order by shift_dates.site_id
