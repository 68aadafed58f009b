with events as (

    select * from {{ ref('int_windowed_events') }}

),

state_intervals as (

    select * from {{ ref('int_state_intervals') }}

),

staffed_time as (

    select * from {{ ref('int_staffed_time') }}

),

workstations as (

    select * from {{ ref('stg_raw__workstations') }}

),

event_sums as (

    select
        site_id,
        shift_date,
        shift_id,
        workstation_id,
        {{ whole_sum("case when event_type = 'product_count' then unit_count end") }} as units,
        count(distinct worker_id) as worker_count

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

),

joined as (

    select
        event_sums.*,
        coalesce(state_sums.working_microseconds, 0) as working_microseconds,
        coalesce(state_sums.idle_microseconds, 0) as idle_microseconds,
        coalesce(state_sums.working_microseconds + state_sums.idle_microseconds, 0) as occupancy_microseconds,
        coalesce(staffed_time.staffed_microseconds, 0) as staffed_microseconds,
        coalesce(workstations.workstation_name, event_sums.workstation_id) as workstation_name,
        workstations.station_type,
        workstations.workstation_id is not null as is_registered

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

    left join workstations
        on event_sums.site_id = workstations.site_id
        and event_sums.workstation_id = workstations.workstation_id

)

select
    site_id,
    shift_date,
    shift_id,
    workstation_id,
    workstation_name,
    station_type,
    is_registered,
    cast({{ seconds('working_microseconds') }} as double) as working_seconds,
    cast({{ seconds('idle_microseconds') }} as double) as idle_seconds,
    cast({{ seconds('occupancy_microseconds') }} as double) as occupancy_seconds,
    cast({{ seconds('staffed_microseconds') }} as double) as staffed_seconds,
    {{ ratio('working_microseconds', 'occupancy_microseconds') }} as utilization,
    units,
    cast({{ per_hour('units', 'occupancy_microseconds') }} as double) as throughput_per_hour,
    worker_count
from joined
