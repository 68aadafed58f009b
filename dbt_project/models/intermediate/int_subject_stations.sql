{{ config(database="scratch") }}

with affected_windows as (

    select * from {{ ref('int_affected_windows') }}

),

shift_windows as (

    select * from {{ ref('int_shift_windows') }}

),

event_sums as (

    select
        site_id,
        shift_date,
        shift_id,
        subject_number,
        worker_id,
        workstation_id,
        {{ whole_sum("case when event_type = 'product_count' then unit_count end") }} as units,
        count(*) as event_count,
        count(*) filter (where is_showing) as showing_count,
        min(event_at) as first_event_at,
        max(event_at) as last_event_at,
        bool_or(is_plain) as is_plain

    from {{ ref('int_windowed_events') }}

    group by site_id, shift_date, shift_id, subject_number, worker_id, workstation_id

),

state_sums as (

    select
        site_id,
        shift_date,
        shift_id,
        subject_number,
        worker_id,
        workstation_id,
        {{ whole_sum("case when state = 'working' then microseconds end") }} as active_microseconds,
        {{ whole_sum("case when state = 'idle' then microseconds end") }} as idle_microseconds,
        {{ whole_sum("case when state = 'absent' then microseconds end") }} as absent_microseconds,
        bool_or(is_plain) as is_plain

    from {{ ref('int_state_intervals') }}

    where microseconds > 0

    group by site_id, shift_date, shift_id, subject_number, worker_id, workstation_id

),

vouched_sums as (

    select
        site_id,
        shift_date,
        shift_id,
        subject_number,
        worker_id,
        workstation_id,
        {{ whole_sum('microseconds') }} as observed_microseconds,
        bool_or(is_plain) as is_plain

    from {{ ref('int_vouched_time') }}

    group by site_id, shift_date, shift_id, subject_number, worker_id, workstation_id

),

-- Any of the three makes a row: a state can continue at a station in a window without an event there.
all_sums as (

    select
        site_id,
        shift_date,
        shift_id,
        subject_number,
        worker_id,
        workstation_id,
        units,
        event_count,
        showing_count,
        first_event_at,
        last_event_at,
        0 as active_microseconds,
        0 as idle_microseconds,
        0 as absent_microseconds,
        0 as observed_microseconds,
        is_plain
    from event_sums

    union all

    select
        site_id,
        shift_date,
        shift_id,
        subject_number,
        worker_id,
        workstation_id,
        0 as units,
        0 as event_count,
        0 as showing_count,
        null as first_event_at,
        null as last_event_at,
        active_microseconds,
        idle_microseconds,
        absent_microseconds,
        0 as observed_microseconds,
        is_plain
    from state_sums

    union all

    select
        site_id,
        shift_date,
        shift_id,
        subject_number,
        worker_id,
        workstation_id,
        0 as units,
        0 as event_count,
        0 as showing_count,
        null as first_event_at,
        null as last_event_at,
        0 as active_microseconds,
        0 as idle_microseconds,
        0 as absent_microseconds,
        observed_microseconds,
        is_plain
    from vouched_sums

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
        min(first_event_at) as first_event_at,
        max(last_event_at) as last_event_at,
        {{ whole_sum('active_microseconds') }} as active_microseconds,
        {{ whole_sum('idle_microseconds') }} as idle_microseconds,
        {{ whole_sum('absent_microseconds') }} as absent_microseconds,
        {{ whole_sum('observed_microseconds') }} as observed_microseconds,
        bool_or(is_plain) as is_plain

    from all_sums

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
