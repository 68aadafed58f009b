-- One row per site and window: the sums behind the plant's figures.
with people as (

    select
        site_id,
        shift_date,
        shift_id,
        round(sum(absent_seconds), 6) as absent_seconds,
        round(sum(present_seconds), 6) as present_seconds,
        round(sum(tracked_seconds), 6) as tracked_seconds,
        round(sum(observed_seconds) filter (where scheduled_seconds is not null), 6) as observed_seconds,
        round(sum(scheduled_seconds), 6) as scheduled_seconds,
        round(sum(observed_seconds), 6) as vouched_seconds
    from worker_shifts
    group by all

),

stations as (

    select
        site_id,
        shift_date,
        shift_id,
        round(sum(occupancy_seconds), 6) as occupancy_seconds,
        round(sum(staffed_seconds), 6) as staffed_seconds,
        round(sum(observed_seconds), 6) as observed_seconds
    from workstation_shifts
    group by all

),

days as (

    select
        site_id,
        shift_date,
        bool_and(is_day_complete) as is_day_complete
    from shift_windows
    group by all

),

-- every station that has a target, seen or not: an unstaffed station loses its whole target
targets as (

    select
        site_id,
        shift_date,
        shift_id,
        round(sum(target_units), 6) as target_units,
        round(sum(target_units_so_far), 6) as target_units_so_far,
        cast(sum(units) as bigint) as targeted_units,
        count(*) as target_stations,
        count(*) filter (where staffed_seconds = 0) as empty_stations
    from station_targets
    group by all

),

-- a started window counts even if nobody was seen in it
windows as (

    select
        site_id,
        shift_date,
        shift_id
    from site_shifts
    union
    select
        site_id,
        shift_date,
        shift_id
    from targets
    where target_units_so_far > 0

)

select
    windows.site_id,
    windows.shift_date,
    windows.shift_id,
    epoch_ms(shift_windows.started_at) as started_ms,
    epoch_ms(shift_windows.ended_at) as ended_ms,
    -- unscheduled time has no window end: it is over when the date is over
    coalesce(shift_windows.is_complete, days.is_day_complete, true) as is_complete,
    round(site_shifts.productive_seconds, 6) as active_seconds,
    -- the sum over stations equals the sum over people; a plant without figures about persons has only the former
    coalesce(people.present_seconds, stations.occupancy_seconds) as present_seconds,
    people.absent_seconds,
    people.tracked_seconds,
    people.observed_seconds,
    people.scheduled_seconds,
    -- the evidence of the window's figures: time for which events vouch, of the time that is claimed
    coalesce(people.vouched_seconds, stations.observed_seconds) as vouched_seconds,
    coalesce(people.tracked_seconds, stations.staffed_seconds) as claimed_seconds,
    coalesce(site_shifts.units, 0) as units,
    targets.target_units,
    targets.target_units_so_far,
    targets.targeted_units,
    targets.target_stations,
    targets.empty_stations,
    site_shifts.average_utilization,
    coalesce(site_shifts.worker_count, 0) as worker_count,
    coalesce(site_shifts.workstation_count, 0) as workstation_count
from windows
left join site_shifts
    on
        windows.site_id = site_shifts.site_id
        and windows.shift_date = site_shifts.shift_date
        and windows.shift_id = site_shifts.shift_id
left join people
    on
        windows.site_id = people.site_id
        and windows.shift_date = people.shift_date
        and windows.shift_id = people.shift_id
left join stations
    on
        windows.site_id = stations.site_id
        and windows.shift_date = stations.shift_date
        and windows.shift_id = stations.shift_id
left join days
    on windows.site_id = days.site_id and windows.shift_date = days.shift_date
left join targets
    on
        windows.site_id = targets.site_id
        and windows.shift_date = targets.shift_date
        and windows.shift_id = targets.shift_id
left join shift_windows
    on
        windows.site_id = shift_windows.site_id
        and windows.shift_date = shift_windows.shift_date
        and windows.shift_id = shift_windows.shift_id
order by windows.site_id, windows.shift_date, windows.shift_id
