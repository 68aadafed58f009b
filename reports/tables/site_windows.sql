-- One row per site and window: the sums that figures of the plant are worked out from.
with people as (

    select
        site_id,
        shift_date,
        shift_id,
        round(sum(absent_seconds), 6) as absent_seconds,
        round(sum(present_seconds), 6) as present_seconds,
        round(sum(tracked_seconds), 6) as tracked_seconds,
        round(sum(observed_seconds) filter (where scheduled_seconds is not null), 6) as observed_seconds,
        round(sum(scheduled_seconds), 6) as scheduled_seconds
    from worker_shifts
    group by all

),

stations as (

    select
        site_id,
        shift_date,
        shift_id,
        round(sum(occupancy_seconds), 6) as occupancy_seconds,
        round(sum(target_units), 6) as target_units,
        cast(sum(units) filter (where target_units is not null) as bigint) as targeted_units
    from workstation_shifts
    group by all

)

select
    site_shifts.site_id,
    site_shifts.shift_date,
    site_shifts.shift_id,
    epoch_ms(shift_windows.started_at) as started_ms,
    epoch_ms(shift_windows.ended_at) as ended_ms,
    coalesce(shift_windows.is_complete, true) as is_complete,
    round(site_shifts.productive_seconds, 6) as active_seconds,
    -- the sum over stations is the sum over people; a plant without figures about persons has only the former
    coalesce(people.present_seconds, stations.occupancy_seconds) as present_seconds,
    people.absent_seconds,
    people.tracked_seconds,
    people.observed_seconds,
    people.scheduled_seconds,
    site_shifts.units,
    stations.target_units,
    stations.targeted_units,
    site_shifts.average_utilization,
    site_shifts.worker_count,
    site_shifts.workstation_count
from site_shifts
left join people
    on
        site_shifts.site_id = people.site_id
        and site_shifts.shift_date = people.shift_date
        and site_shifts.shift_id = people.shift_id
left join stations
    on
        site_shifts.site_id = stations.site_id
        and site_shifts.shift_date = stations.shift_date
        and site_shifts.shift_id = stations.shift_id
left join shift_windows
    on
        site_shifts.site_id = shift_windows.site_id
        and site_shifts.shift_date = shift_windows.shift_date
        and site_shifts.shift_id = shift_windows.shift_id
order by site_shifts.site_id, site_shifts.shift_date, site_shifts.shift_id
