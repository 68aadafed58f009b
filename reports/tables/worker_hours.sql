-- One row per site, worker, window and UTC hour of the last 31 shift dates: state intervals split at the hour.
with recent as (

    select
        site_id,
        worker_id,
        shift_date,
        shift_id,
        state,
        started_at at time zone 'UTC' as started_at,
        ended_at at time zone 'UTC' as ended_at
    from state_intervals
    where ended_at > started_at
    qualify max(shift_date) over (partition by site_id) - shift_date < 31

),

hours as (

    select
        recent.*,
        unnest(
            generate_series(date_trunc('hour', started_at), ended_at - interval 1 microsecond, interval 1 hour)
        ) as hour
    from recent

),

pieces as (

    select
        site_id,
        worker_id,
        shift_date,
        shift_id,
        hour,
        state,
        epoch_us(least(ended_at, hour + interval 1 hour)) - epoch_us(greatest(started_at, hour)) as microseconds
    from hours

)

select
    site_id,
    worker_id,
    shift_date,
    shift_id,
    hour,
    coalesce(sum(microseconds) filter (where state = 'working'), 0) / 1e6 as active_seconds,
    coalesce(sum(microseconds) filter (where state = 'idle'), 0) / 1e6 as idle_seconds,
    coalesce(sum(microseconds) filter (where state = 'absent'), 0) / 1e6 as absent_seconds
from pieces
group by all
order by site_id, worker_id, hour, shift_date, shift_id
