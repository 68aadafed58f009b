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

    select segments.*

    from segments

    inner join windows
        on segments.site_id = windows.site_id
        and segments.shift_date = windows.shift_date
        and segments.shift_id = windows.shift_id

)

select
    events.site_id,
    affected_segments.shift_date,
    affected_segments.shift_id,
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
