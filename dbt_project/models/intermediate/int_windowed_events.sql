{{ config(database="scratch", materialized="view") }}

with events as (

    select * from {{ ref('int_sequenced_events') }}

),

chosen_windows as (

    select * from {{ ref('int_chosen_windows') }}

)

select
    events.site_id,
    coalesce(chosen_windows.shift_date, events.shift_date) as shift_date,
    coalesce(chosen_windows.shift_id, events.shift_id) as shift_id,
    coalesce(chosen_windows.window_started_at, events.window_started_at) as window_started_at,
    coalesce(chosen_windows.window_ended_at, events.window_ended_at) as window_ended_at,
    events.subject_number,
    events.worker_id,
    events.workstation_id,
    events.event_type,
    events.event_at,
    events.counted_at,
    events.confidence,
    events.unit_count,
    events.is_person,
    events.is_showing,
    events.hour_shift,
    events.is_plain,
    events.next_event_at,
    events.next_state_event_at
from events
left join chosen_windows
    on events.subject_number = chosen_windows.subject_number
    and events.counted_at = chosen_windows.instant
