{{ config(database="scratch") }}

with events as (

    select * from {{ ref('int_windowed_events') }}

),

settings as (

    select * from {{ ref('stg_raw__settings') }}

),

-- Any event shows that the worker was seen. Of several at one instant the one whose state lasts vouches.
observed as (

    select
        events.*,
        {{ vouched_microseconds(
            'events.event_at', 'events.next_event_at', 'events.window_ended_at', 'settings.last_event_microseconds'
        ) }} as observed_microseconds

    from events

    cross join settings

)

select
    site_id,
    shift_date,
    shift_id,
    worker_id,
    workstation_id,
    {{ whole_sum("case when event_type = 'product_count' then unit_count end") }} as units,
    count(*) as event_count,
    {{ whole_sum('observed_microseconds') }} as observed_microseconds,
    case
        when shift_id <> 'unscheduled'
            then max({{ microseconds_between('window_started_at', 'window_ended_at') }})
    end as scheduled_microseconds,
    min(event_at) as first_event_at,
    max(event_at) as last_event_at
from observed
group by site_id, shift_date, shift_id, worker_id, workstation_id
