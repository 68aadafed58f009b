{{ config(tags=["calendar"]) }}

with windows as (

    select * from {{ ref('int_shift_windows') }}

),

segments as (

    select *
    from {{ ref('int_window_segments') }}
    where is_owner

),

as_of as (

    select * from {{ ref('int_as_of') }}

)

select
    windows.site_id,
    windows.shift_date,
    windows.shift_id,
    {{ microseconds_between('windows.started_at', 'windows.ended_at') }} as scheduled_microseconds,
    {{ whole_sum(microseconds_between('segments.started_at', 'segments.ended_at')) }} as clock_microseconds,
    {{ whole_sum(
        "greatest(" ~ microseconds_between('segments.started_at', 'least(segments.ended_at, as_of.as_of)') ~ ", 0)"
    ) }} as clock_microseconds_so_far
from windows
cross join as_of
left join segments
    on windows.site_id = segments.site_id
    and windows.shift_date = segments.shift_date
    and windows.shift_id = segments.shift_id
group by windows.site_id, windows.shift_date, windows.shift_id, windows.started_at, windows.ended_at
