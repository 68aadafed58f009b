{{ config(database="scratch") }}

with stretches as (

    select * from {{ ref('int_state_stretches') }}

),

settings as (

    select * from {{ ref('stg_raw__settings') }}

),

repeated as (

    select *
    from stretches
    where is_repeated

),

begun as (

    select *
    from stretches
    where not is_repeated

),

-- A state that continues at the end of one window begins in the next one.
{{ walk_over_windows('repeated', 'is_going_on') }}

within_window as (

    select
        reached.*,
        least(reached.expected_end_at, reached.window_ended_at) as window_end_at,
        case
            when reached.is_going_on or reached.window_ended_at < reached.expected_end_at then 'window_end'
            when reached.is_followed then 'next_event'
            else 'assumed'
        end as window_reason,
        {{ add_microseconds('reached.state_at', 'settings.max_state_microseconds') }} as latest_end_at

    from reached

    cross join settings

),

capped as (

    select
        *,
        least(window_end_at, latest_end_at) as ended_at,
        coalesce(latest_end_at < window_end_at, false) as is_capped

    from within_window

    where not is_repeated or latest_end_at is null or latest_end_at > started_at

)

select
    site_id,
    shift_date,
    shift_id,
    subject_number,
    worker_id,
    workstation_id,
    state,
    started_at,
    ended_at,
    {{ microseconds_between('started_at', 'ended_at') }} as microseconds,
    case when is_capped then 'capped' else window_reason end as end_reason,
    confidence,
    hour_shift,
    is_plain
from capped
