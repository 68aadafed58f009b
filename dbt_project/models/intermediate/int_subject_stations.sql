{{ config(database="scratch") }}

with affected_windows as (

    select * from {{ ref('int_affected_windows') }}

),

shift_windows as (

    select * from {{ ref('int_shift_windows') }}

),

-- Any of the three makes a row: a state can continue at a station in a window without an event there.
parts as (

    select
        site_id,
        shift_date,
        shift_id,
        subject_number,
        worker_id,
        workstation_id,
        case when event_type = 'product_count' then unit_count end as units,
        1 as event_count,
        case when is_showing then 1 end as showing_count,
        event_at,
        cast(null as varchar) as kind,
        cast(null as bigint) as microseconds,
        is_plain
    from {{ ref('int_windowed_events') }}

    union all

    select
        site_id,
        shift_date,
        shift_id,
        subject_number,
        worker_id,
        workstation_id,
        null as units,
        0 as event_count,
        null as showing_count,
        null as event_at,
        state as kind,
        microseconds,
        is_plain
    from {{ ref('int_state_intervals') }}
    where microseconds > 0

    union all

    select
        site_id,
        shift_date,
        shift_id,
        subject_number,
        worker_id,
        workstation_id,
        null as units,
        0 as event_count,
        null as showing_count,
        null as event_at,
        'observed' as kind,
        microseconds,
        is_plain
    from {{ ref('int_vouched_time') }}

),

summed as (

    select
        site_id,
        shift_date,
        shift_id,
        subject_number,
        worker_id,
        workstation_id,
        {{ whole_sum('units') }} as units,
        {{ whole_sum('event_count') }} as event_count,
        {{ whole_sum('showing_count') }} as showing_count,
        min(event_at) as first_event_at,
        max(event_at) as last_event_at,
        {{ whole_sum("case when kind = 'working' then microseconds end") }} as active_microseconds,
        {{ whole_sum("case when kind = 'idle' then microseconds end") }} as idle_microseconds,
        {{ whole_sum("case when kind = 'absent' then microseconds end") }} as absent_microseconds,
        {{ whole_sum("case when kind = 'observed' then microseconds end") }} as observed_microseconds,
        bool_or(is_plain) as is_plain

    from parts

    group by site_id, shift_date, shift_id, subject_number, worker_id, workstation_id

)

select
    summed.*,
    {{ microseconds_between('shift_windows.started_at', 'shift_windows.ended_at') }} as scheduled_microseconds
from summed
inner join affected_windows
    on summed.site_id = affected_windows.site_id
    and summed.shift_date = affected_windows.shift_date
    and summed.shift_id = affected_windows.shift_id
left join shift_windows
    on summed.site_id = shift_windows.site_id
    and summed.shift_date = shift_windows.shift_date
    and summed.shift_id = shift_windows.shift_id
