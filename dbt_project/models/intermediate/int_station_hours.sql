{{ config(database="scratch") }}

with stretches as (

    select
        site_id,
        shift_date,
        shift_id,
        workstation_id,
        kind,
        started_at,
        ended_at,
        hour_shift,
        {{ local_hour('started_at', 'hour_shift') }} as first_hour

    from {{ ref('int_clock_stretches') }}

    where kind <> 'absent'

),

-- No stretch is longer than a window, which limits the hours it can touch.
numbers as (
    {{ numbers(26) }}
),

-- Most stretches end in the hour that they began in.
split as (

    select
        site_id,
        shift_date,
        shift_id,
        workstation_id,
        kind,
        first_hour as hour,
        started_at,
        ended_at

    from stretches

    where ended_at <= first_hour + interval 1 hour

    union all

    select
        stretches.site_id,
        stretches.shift_date,
        stretches.shift_id,
        stretches.workstation_id,
        stretches.kind,
        stretches.first_hour + numbers.number * interval 1 hour as hour,
        greatest(stretches.started_at, stretches.first_hour + numbers.number * interval 1 hour) as started_at,
        least(stretches.ended_at, stretches.first_hour + (numbers.number + 1) * interval 1 hour) as ended_at

    from stretches

    inner join numbers
        on stretches.first_hour + numbers.number * interval 1 hour < stretches.ended_at

    where stretches.ended_at > stretches.first_hour + interval 1 hour

),

-- The end of the time covered by earlier stretches; each stretch adds what it covers beyond that.
ordered as (

    select
        *,
        max(case when kind = 'working' then ended_at end) over earlier as worked_until,
        max(case when kind <> 'observed' then ended_at end) over earlier as staffed_until,
        max(case when kind = 'observed' then ended_at end) over earlier as observed_until

    from split

    window earlier as (
        partition by site_id, workstation_id, hour, shift_date, shift_id
        order by started_at
        rows between unbounded preceding and 1 preceding
    )

)

select
    site_id,
    workstation_id,
    hour,
    shift_date,
    shift_id,
    {{ whole_sum("case when kind = 'working' then " ~ microseconds_between('started_at', 'ended_at') ~ " end") }}
        as working_microseconds,
    {{ whole_sum("case when kind = 'idle' then " ~ microseconds_between('started_at', 'ended_at') ~ " end") }}
        as idle_microseconds,
    {{ whole_sum("case when kind = 'working' then " ~ microseconds_added('worked_until') ~ " end") }}
        as worked_microseconds,
    {{ whole_sum("case when kind <> 'observed' then " ~ microseconds_added('staffed_until') ~ " end") }}
        as staffed_microseconds,
    {{ whole_sum("case when kind = 'observed' then " ~ microseconds_added('observed_until') ~ " end") }}
        as observed_microseconds
from ordered
group by site_id, workstation_id, hour, shift_date, shift_id
