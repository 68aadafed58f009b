{{ config(database="scratch", materialized="view") }}

with events as (

    select *
    from {{ ref('int_windowed_events') }}
    where is_showing

),

settings as (

    select * from {{ ref('stg_raw__settings') }}

),

repetitions as (

    select
        site_id,
        shift_date,
        shift_id,
        window_ended_at,
        subject_number,
        worker_id,
        vouching_workstation_id as workstation_id,
        boundary_at as started_at,
        seen_at,
        next_event_at,
        hour_shift,
        is_plain

    from {{ ref('int_repetitions') }}

    where next_event_at > boundary_at

),

-- Of several events at one instant only the last one vouches: the next event of the others follows at once.
begun as (

    select
        events.site_id,
        events.shift_date,
        events.shift_id,
        events.window_ended_at,
        events.subject_number,
        events.worker_id,
        events.workstation_id,
        events.counted_at as started_at,
        events.counted_at as seen_at,
        case
            when
                {{ microseconds_between('events.counted_at', 'events.next_event_at') }}
                <= settings.last_event_microseconds
                then events.next_event_at
        end as next_event_at,
        events.hour_shift,
        events.is_plain

    from events

    cross join settings

),

{{ walk_over_windows('repetitions', 'next_event_at > window_ended_at') }}

ended as (

    select
        reached.*,
        least(
            coalesce(
                reached.next_event_at, {{ add_microseconds('reached.seen_at', 'settings.last_event_microseconds') }}
            ),
            reached.window_ended_at
        ) as ended_at

    from reached

    cross join settings

)

select
    site_id,
    shift_date,
    shift_id,
    subject_number,
    worker_id,
    workstation_id,
    started_at,
    ended_at,
    {{ microseconds_between('started_at', 'ended_at') }} as microseconds,
    hour_shift,
    is_plain
from ended
where started_at < ended_at
