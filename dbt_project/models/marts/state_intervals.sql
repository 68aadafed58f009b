-- depends_on: {{ lists_of('window') }}

with state_intervals as (

    select * from {{ ref('int_state_intervals') }}

),

affected_windows as (

    select * from {{ ref('int_affected_windows') }}

)

select
    state_intervals.site_id,
    state_intervals.shift_date,
    state_intervals.shift_id,
    state_intervals.worker_id,
    state_intervals.workstation_id,
    state_intervals.state,
    state_intervals.started_at,
    state_intervals.ended_at,
    cast({{ seconds('state_intervals.microseconds') }} as double) as seconds,
    state_intervals.end_reason,
    state_intervals.confidence
from state_intervals
inner join affected_windows
    on state_intervals.site_id = affected_windows.site_id
    and state_intervals.shift_date = affected_windows.shift_date
    and state_intervals.shift_id = affected_windows.shift_id
