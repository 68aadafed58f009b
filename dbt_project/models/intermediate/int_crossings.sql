{{ config(database="scratch") }}

with events as (

    select *
    from {{ ref('int_sequenced_events') }}
    where is_showing

),

settings as (

    select * from {{ ref('stg_raw__settings') }}

),

segments as (

    select
        *,
        {{ utc_date('started_at') }} as started_on

    from {{ ref('int_window_segments') }}

    where is_owner

),

seen_again as (

    select events.*

    from events

    inner join settings
        on {{ microseconds_between('events.counted_at', 'events.next_event_at') }} <= settings.last_event_microseconds

    where events.next_event_at >= events.segment_ended_at

),

-- LAST_EVENT_MINUTES is at most one day, so two dates are enough.
dates as (
    {{ on_each_date('seen_again', 1, 'counted_at', 'next_event_at') }}
),

crossings as (

    select
        dates.site_id,
        dates.subject_number,
        dates.is_person,
        dates.worker_id,
        dates.workstation_id as vouching_workstation_id,
        dates.counted_at as seen_at,
        dates.next_event_at,
        dates.next_state_event_at,
        segments.started_at as boundary_at,
        segments.shift_date,
        segments.shift_id,
        segments.window_started_at,
        segments.window_ended_at,
        segments.hour_shift,
        segments.is_shared,
        segments.is_plain

    from dates

    inner join segments
        on dates.site_id = segments.site_id
        and dates.covered_on = segments.started_on
        and dates.counted_at < segments.started_at
        and dates.next_event_at >= segments.started_at

)

-- The state at an event is the last one before it, so all events up to the next state share it.
select
    crossings.*,
    states.workstation_id,
    states.event_type as state,
    states.confidence,
    states.counted_at as state_at
from crossings
left join events as states
    on crossings.subject_number = states.subject_number
    and crossings.next_state_event_at is not distinct from states.next_state_event_at
    and crossings.boundary_at > states.counted_at
    and states.event_type <> 'product_count'
