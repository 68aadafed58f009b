{{ config(database="scratch", materialized="view") }}

with events as (

    select * from {{ ref('int_windowed_events') }}

),

settings as (

    select * from {{ ref('stg_raw__settings') }}

),

expected as (

    select
        events.*,
        settings.max_state_microseconds,
        coalesce(
            events.next_state_event_at,
            {{ add_microseconds('events.event_at', 'settings.last_event_microseconds') }}
        ) as expected_end_at,
        case when events.next_state_event_at is null then 'assumed' else 'next_event' end as expected_reason

    from events

    cross join settings

    where events.event_type <> 'product_count'

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
    window_number,
    worker_id,
    workstation_id,
    event_type as state,
    event_at as started_at,
    ended_at,
    {{ microseconds_between('event_at', 'ended_at') }} as microseconds,
    case when is_capped then 'capped' else window_reason end as end_reason,
    confidence
from capped
