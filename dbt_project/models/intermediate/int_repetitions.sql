{{ config(database="scratch", materialized="view") }}

with crossings as (

    select * from {{ ref('int_crossings') }}

),

chosen_windows as (

    select * from {{ ref('int_chosen_windows') }}

)

select
    crossings.site_id,
    coalesce(chosen_windows.shift_date, crossings.shift_date) as shift_date,
    coalesce(chosen_windows.shift_id, crossings.shift_id) as shift_id,
    coalesce(chosen_windows.window_started_at, crossings.window_started_at) as window_started_at,
    coalesce(chosen_windows.window_ended_at, crossings.window_ended_at) as window_ended_at,
    crossings.subject_number,
    crossings.worker_id,
    crossings.workstation_id,
    crossings.vouching_workstation_id,
    crossings.state,
    crossings.confidence,
    crossings.state_at,
    crossings.boundary_at,
    crossings.seen_at,
    crossings.next_event_at,
    crossings.next_state_event_at,
    crossings.hour_shift,
    crossings.is_plain
from crossings
left join chosen_windows
    on crossings.subject_number = chosen_windows.subject_number
    and crossings.boundary_at = chosen_windows.instant
