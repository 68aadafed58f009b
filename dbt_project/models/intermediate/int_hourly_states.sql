{{ config(database="scratch") }}

with state_intervals as (

    select * from {{ ref('int_state_intervals') }}

),

spans as (

    select
        site_id,
        shift_date,
        shift_id,
        workstation_id,
        state,
        started_at,
        ended_at,
        microseconds,
        {{ utc_hour('started_at') }} as first_hour,
        {{ utc_hour('ended_at') }} as last_hour

    from state_intervals

    where state in ('working', 'idle') and microseconds > 0

),

-- No interval is longer than the longest window, a day; it touches at most 25 UTC hours.
numbers as (
    {{ numbers(24) }}
),

hours as (

    select
        spans.*,
        spans.first_hour + numbers.number * interval 1 hour as hour

    from spans

    inner join numbers
        on spans.first_hour + numbers.number * interval 1 hour < spans.ended_at

    where spans.first_hour <> spans.last_hour

),

-- Most intervals end in the hour that they began in.
split as (

    select
        site_id,
        shift_date,
        shift_id,
        workstation_id,
        state,
        first_hour as hour,
        microseconds

    from spans

    where first_hour = last_hour

    union all

    select
        site_id,
        shift_date,
        shift_id,
        workstation_id,
        state,
        hour,
        {{ microseconds_between(
            'greatest(started_at, hour)', 'least(ended_at, hour + interval 1 hour)'
        ) }} as microseconds

    from hours

)

select
    site_id,
    workstation_id,
    hour,
    shift_date,
    shift_id,
    {{ whole_sum("case when state = 'working' then microseconds end") }} as working_microseconds,
    {{ whole_sum("case when state = 'idle' then microseconds end") }} as idle_microseconds
from split
group by site_id, workstation_id, hour, shift_date, shift_id
