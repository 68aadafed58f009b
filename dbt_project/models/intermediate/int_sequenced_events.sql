{{ config(database="scratch") }}

with events as (

    select
        *,
        worker_id is not null as is_person,
        coalesce(worker_id, workstation_id) as subject_id

    from {{ ref('int_camera_events') }}

    where is_counted

),

segments as (

    select *
    from {{ ref('int_window_segments') }}
    where is_owner

),

segment_dates as (
    {{ on_each_date('segments') }}
),

named_subjects as (

    select distinct
        site_id,
        is_person,
        subject_id

    from events

),

subjects as (

    select
        *,
        cast(row_number() over (order by site_id, is_person, subject_id) as integer) as subject_number

    from named_subjects

),

placed as (

    select
        events.*,
        subjects.subject_number,
        -- A station's own counts do not show its state.
        events.is_person or events.event_type <> 'product_count' as is_showing,
        segment_dates.shift_date,
        segment_dates.shift_id,
        segment_dates.window_started_at,
        segment_dates.window_ended_at,
        segment_dates.started_at as segment_started_at,
        segment_dates.ended_at as segment_ended_at,
        segment_dates.hour_shift,
        segment_dates.is_shared,
        segment_dates.is_plain

    from events

    inner join subjects
        on events.site_id = subjects.site_id
        and events.is_person = subjects.is_person
        and events.subject_id = subjects.subject_id

    inner join segment_dates
        on events.site_id = segment_dates.site_id
        and {{ utc_date('events.counted_at') }} = segment_dates.covered_on
        and events.counted_at >= segment_dates.started_at
        and events.counted_at < segment_dates.ended_at

)

select
    site_id,
    subject_number,
    worker_id,
    workstation_id,
    event_type,
    event_at,
    counted_at,
    confidence,
    unit_count,
    is_person,
    is_showing,
    shift_date,
    shift_id,
    window_started_at,
    window_ended_at,
    segment_started_at,
    segment_ended_at,
    hour_shift,
    is_shared,
    is_plain,
    lead(counted_at) over in_order as next_event_at,
    {{ next_known("case when event_type <> 'product_count' then counted_at end", 'in_order') }} as next_state_event_at
from placed
window in_order as (
    partition by subject_number, is_showing
    -- At one instant the most confident event comes last, so its state lasts and the others take no time.
    order by counted_at asc, confidence asc, workstation_id asc, event_type asc
)
