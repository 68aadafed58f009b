{{ config(database="scratch") }}

with events as (

    select * from {{ ref('int_windowed_events') }}

),

state_intervals as (

    select * from {{ ref('int_state_intervals') }}

),

staffed_time as (

    select * from {{ ref('int_staffed_time') }}

),

event_sums as (

    select
        site_id,
        shift_date,
        shift_id,
        workstation_id,
        {{ whole_sum("case when event_type = 'product_count' then unit_count end") }} as units,
        count(distinct worker_id) as worker_count,
        -- Unscheduled time is many gaps, none of which has a target.
        case when shift_id <> 'unscheduled' then max(window_started_at) end as window_started_at,
        case when shift_id <> 'unscheduled' then max(window_ended_at) end as window_ended_at

    from events

    group by site_id, shift_date, shift_id, workstation_id

),

state_sums as (

    select
        site_id,
        shift_date,
        shift_id,
        workstation_id,
        {{ whole_sum("case when state = 'working' then microseconds end") }} as working_microseconds,
        {{ whole_sum("case when state = 'idle' then microseconds end") }} as idle_microseconds

    from state_intervals

    group by site_id, shift_date, shift_id, workstation_id

)

select
    event_sums.site_id,
    event_sums.shift_date,
    event_sums.shift_id,
    event_sums.workstation_id,
    event_sums.units,
    event_sums.worker_count,
    event_sums.window_started_at,
    event_sums.window_ended_at,
    coalesce(state_sums.working_microseconds, 0) as working_microseconds,
    coalesce(state_sums.idle_microseconds, 0) as idle_microseconds,
    coalesce(state_sums.working_microseconds + state_sums.idle_microseconds, 0) as occupancy_microseconds,
    coalesce(staffed_time.staffed_microseconds, 0) as staffed_microseconds
from event_sums
left join state_sums
    on event_sums.site_id = state_sums.site_id
    and event_sums.shift_date = state_sums.shift_date
    and event_sums.shift_id = state_sums.shift_id
    and event_sums.workstation_id = state_sums.workstation_id
left join staffed_time
    on event_sums.site_id = staffed_time.site_id
    and event_sums.shift_date = staffed_time.shift_date
    and event_sums.shift_id = staffed_time.shift_id
    and event_sums.workstation_id = staffed_time.workstation_id
