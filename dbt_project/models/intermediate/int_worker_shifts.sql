{{ config(database="scratch") }}

with events as (

    select * from {{ ref('int_windowed_events') }}

),

state_intervals as (

    select * from {{ ref('int_state_intervals') }}

),

worker_stations as (

    select * from {{ ref('int_worker_stations') }}

),

observed as (

    select
        site_id,
        shift_date,
        shift_id,
        worker_id,
        {{ whole_sum('observed_microseconds') }} as observed_microseconds

    from worker_stations

    group by site_id, shift_date, shift_id, worker_id

),

event_sums as (

    select
        site_id,
        shift_date,
        shift_id,
        worker_id,
        {{ whole_sum("case when event_type = 'product_count' then unit_count end") }} as units,
        count(*) as event_count,
        case
            when shift_id <> 'unscheduled'
                then max({{ microseconds_between('window_started_at', 'window_ended_at') }})
        end as scheduled_microseconds

    from events

    group by site_id, shift_date, shift_id, worker_id

),

state_sums as (

    select
        site_id,
        shift_date,
        shift_id,
        worker_id,
        {{ whole_sum("case when state = 'working' then microseconds end") }} as active_microseconds,
        {{ whole_sum("case when state = 'idle' then microseconds end") }} as idle_microseconds,
        {{ whole_sum("case when state = 'absent' then microseconds end") }} as absent_microseconds

    from state_intervals

    group by site_id, shift_date, shift_id, worker_id

)

select
    event_sums.site_id,
    event_sums.shift_date,
    event_sums.shift_id,
    event_sums.worker_id,
    event_sums.units,
    event_sums.event_count,
    event_sums.scheduled_microseconds,
    coalesce(state_sums.active_microseconds, 0) as active_microseconds,
    coalesce(state_sums.idle_microseconds, 0) as idle_microseconds,
    coalesce(state_sums.absent_microseconds, 0) as absent_microseconds,
    coalesce(state_sums.active_microseconds + state_sums.idle_microseconds, 0) as present_microseconds,
    coalesce(
        state_sums.active_microseconds + state_sums.idle_microseconds + state_sums.absent_microseconds, 0
    ) as tracked_microseconds,
    observed.observed_microseconds
from event_sums
inner join observed
    on event_sums.site_id = observed.site_id
    and event_sums.shift_date = observed.shift_date
    and event_sums.shift_id = observed.shift_id
    and event_sums.worker_id = observed.worker_id
left join state_sums
    on event_sums.site_id = state_sums.site_id
    and event_sums.shift_date = state_sums.shift_date
    and event_sums.shift_id = state_sums.shift_id
    and event_sums.worker_id = state_sums.worker_id
