with events as (

    select * from {{ ref('int_events') }}

),

segments as (

    select * from {{ ref('int_window_segments') }}

),

numbers as (
    {{ numbers(2) }}
),

-- By UTC date, so that the search for an event's segment is an equality join.
segment_dates as (

    select
        segments.*,
        cast({{ utc_date('segments.started_at') }} + numbers.number * interval 1 day as date) as covered_on

    from segments

    inner join numbers
        on {{ utc_date('segments.started_at') }} + numbers.number * interval 1 day
        <= {{ utc_date('segments.ended_at') }}

)

select
    events.site_id,
    segment_dates.shift_date,
    segment_dates.shift_id,
    segment_dates.window_started_at,
    segment_dates.window_ended_at,
    events.event_at,
    events.worker_id,
    events.workstation_id,
    events.event_type,
    events.confidence,
    events.unit_count
from events
inner join segment_dates
    on events.site_id = segment_dates.site_id
    and {{ utc_date('events.event_at') }} = segment_dates.covered_on
    and events.event_at >= segment_dates.started_at
    and events.event_at < segment_dates.ended_at
