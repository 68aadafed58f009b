with events as (

    select * from {{ ref('int_windowed_events') }}

),

settings as (

    select * from {{ ref('stg_raw__settings') }}

),

state_events as (

    select
        *,
        -- At one instant the most confident event comes last: it lasts, the others take no time.
        lead(event_at) over (
            partition by site_id, worker_id, shift_date, shift_id, window_started_at
            order by event_at asc, confidence asc, workstation_id asc, event_type asc
        ) as next_event_at

    from events

    where event_type <> 'product_count'

),

expected as (

    select
        state_events.*,
        settings.max_state_microseconds,
        coalesce(
            state_events.next_event_at,
            {{ add_microseconds('state_events.event_at', 'settings.last_event_microseconds') }}
        ) as expected_end_at,
        case when state_events.next_event_at is null then 'assumed' else 'next_event' end as expected_reason

    from state_events

    cross join settings

),

within_window as (

    select
        *,
        least(expected_end_at, window_ended_at) as window_end_at,
        case when window_ended_at < expected_end_at then 'window_end' else expected_reason end as window_reason

    from expected

),

capped as (

    select
        *,
        least(
            window_end_at, {{ add_microseconds('event_at', 'max_state_microseconds') }}
        ) as ended_at,
        coalesce({{ add_microseconds('event_at', 'max_state_microseconds') }} < window_end_at, false) as is_capped

    from within_window

)

select
    site_id,
    shift_date,
    shift_id,
    worker_id,
    workstation_id,
    event_type as state,
    event_at as started_at,
    ended_at,
    {{ microseconds_between('event_at', 'ended_at') }} as microseconds,
    case when is_capped then 'capped' else window_reason end as end_reason,
    confidence
from capped
