{{ config(database="scratch") }}

with events as (

    select * from {{ ref('int_events') }}

),

segments as (

    select * from {{ ref('int_segment_dates') }}

),

windows as (

    select * from {{ ref('int_affected_windows') }}

),

-- A date of the scope may also hold events of windows that are not: those stay as they are.
affected_segments as (

    select
        segments.*,
        -- Of one window all segments have one number, and each gap of unscheduled time has its own.
        cast(dense_rank() over (
            order by segments.site_id, segments.shift_date, segments.shift_id, segments.window_started_at
        ) as integer) as window_number

    from segments

    inner join windows
        on segments.site_id = windows.site_id
        and segments.shift_date = windows.shift_date
        and segments.shift_id = windows.shift_id

),

windowed as (

    select
        events.site_id,
        affected_segments.shift_date,
        affected_segments.shift_id,
        affected_segments.window_number,
        affected_segments.window_started_at,
        affected_segments.window_ended_at,
        events.event_at,
        events.worker_id,
        events.workstation_id,
        events.event_type,
        events.confidence,
        events.unit_count

    from events

    inner join affected_segments
        on events.site_id = affected_segments.site_id
        and {{ utc_date('events.event_at') }} = affected_segments.covered_on
        and events.event_at >= affected_segments.started_at
        and events.event_at < affected_segments.ended_at

)

select
    site_id,
    shift_date,
    shift_id,
    window_number,
    window_started_at,
    window_ended_at,
    event_at,
    worker_id,
    workstation_id,
    event_type,
    confidence,
    unit_count,
    lead(event_at) over in_order as next_event_at,
    {{ next_known("case when event_type <> 'product_count' then event_at end", 'in_order') }} as next_state_event_at
from windowed
window in_order as (
    partition by window_number, worker_id
    -- At one instant the most confident event comes last: its state lasts, and the others take no time.
    order by event_at asc, confidence asc, workstation_id asc, event_type asc
)
