{{ config(database="scratch") }}

with states as (

    select *
    from {{ ref('int_windowed_events') }}
    where event_type <> 'product_count'

),

repetitions as (

    select *
    from {{ ref('int_repetitions') }}
    where state is not null and (next_state_event_at is null or next_state_event_at > boundary_at)

),

showing_events as (

    select *
    from {{ ref('int_sequenced_events') }}
    where is_showing

),

settings as (

    select * from {{ ref('stg_raw__settings') }}

),

-- From the state's event, or from a border of windows across which the state may have continued.
begun as (

    select
        site_id,
        shift_date,
        shift_id,
        window_ended_at,
        subject_number,
        worker_id,
        workstation_id,
        event_type as state,
        confidence,
        counted_at as state_at,
        counted_at as started_at,
        counted_at as seen_at,
        next_event_at,
        next_state_event_at,
        hour_shift,
        is_plain,
        false as is_repeated,
        coalesce(next_state_event_at < window_ended_at, false) as is_followed

    from states

    union all

    select
        site_id,
        shift_date,
        shift_id,
        window_ended_at,
        subject_number,
        worker_id,
        workstation_id,
        state,
        confidence,
        state_at,
        boundary_at as started_at,
        seen_at,
        next_event_at,
        next_state_event_at,
        hour_shift,
        is_plain,
        true as is_repeated,
        coalesce(next_state_event_at < window_ended_at, false) as is_followed

    from repetitions

),

-- When the subject of a window's last state was last seen in the window, if counts came after the state.
seen_later as (

    select
        begun.subject_number,
        begun.started_at,
        max(showing_events.counted_at) as seen_at,
        max(showing_events.next_event_at) as next_event_at

    from begun

    inner join showing_events
        on begun.subject_number = showing_events.subject_number
        and begun.next_state_event_at is not distinct from showing_events.next_state_event_at
        and begun.window_ended_at > showing_events.counted_at

    where not begun.is_followed and begun.next_event_at < begun.window_ended_at

    group by begun.subject_number, begun.started_at

),

last_seen as (

    select
        begun.*,
        coalesce(seen_later.seen_at, begun.seen_at) as last_seen_at,
        coalesce(seen_later.next_event_at, begun.next_event_at) as seen_again_at

    from begun

    left join seen_later
        on not begun.is_followed
        and begun.subject_number = seen_later.subject_number
        and begun.started_at = seen_later.started_at

)

select
    last_seen.site_id,
    last_seen.shift_date,
    last_seen.shift_id,
    last_seen.window_ended_at,
    last_seen.subject_number,
    last_seen.worker_id,
    last_seen.workstation_id,
    last_seen.state,
    last_seen.confidence,
    last_seen.state_at,
    last_seen.started_at,
    last_seen.hour_shift,
    last_seen.is_plain,
    last_seen.is_repeated,
    case
        when last_seen.is_followed then last_seen.next_state_event_at
        else {{ add_microseconds('last_seen.last_seen_at', 'settings.last_event_microseconds') }}
    end as expected_end_at,
    last_seen.is_followed,
    -- A subject seen on both sides of a window's end is in the state at the end and continues in it.
    coalesce(
        not last_seen.is_followed
        and last_seen.seen_again_at >= last_seen.window_ended_at
        and {{ microseconds_between('last_seen.last_seen_at', 'last_seen.seen_again_at') }}
        <= settings.last_event_microseconds,
        false
    ) as is_going_on
from last_seen
cross join settings
