{{ config(tags=["calendar"]) }}

with shift_windows as (

    select * from {{ ref('int_shift_windows') }}

),

dates as (
    {{ on_each_date('shift_windows') }}
),

-- Distinct rows, because two windows with the same start and end have no defined order.
pieces as (

    select distinct
        site_id,
        covered_on as event_date,
        greatest(started_at, {{ utc_midnight('covered_on') }}) as started_at,
        least(ended_at, {{ utc_midnight('covered_on + interval 1 day') }}) as ended_at

    from dates

),

ordered as (

    select
        *,
        {{ ended_before('site_id, event_date') }} as scheduled_until

    from pieces

    where started_at < ended_at

),

-- Windows that meet or overlap are one stretch, because the end of a shift does not end a silence.
numbered as (

    select
        *,
        {{ stretch_number('scheduled_until >= started_at', 'site_id, event_date') }} as stretch_number

    from ordered

)

select
    site_id,
    event_date,
    min(started_at) as started_at,
    max(ended_at) as ended_at
from numbered
group by site_id, event_date, stretch_number
