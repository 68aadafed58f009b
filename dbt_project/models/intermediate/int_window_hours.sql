with segments as (

    select
        *,
        {{ local_hour('started_at', 'hour_shift') }} as first_hour

    from {{ ref('int_window_segments') }}

    where
        is_owner
        and shift_id <> 'unscheduled'
        and (
            (site_id, shift_date) in (
                select
                    affected_windows.site_id,
                    affected_windows.shift_date
                from {{ ref('int_affected_windows') }} as affected_windows
            )
            or site_id in (
                select affected_workstations.site_id
                from {{ ref('int_affected_workstations') }} as affected_workstations
            )
        )

),

as_of as (

    select * from {{ ref('int_as_of') }}

),

numbers as (
    {{ numbers(26) }}
),

hours as (

    select
        segments.site_id,
        segments.shift_date,
        segments.shift_id,
        segments.first_hour + numbers.number * interval 1 hour as hour,
        greatest(segments.started_at, segments.first_hour + numbers.number * interval 1 hour) as started_at,
        least(segments.ended_at, segments.first_hour + (numbers.number + 1) * interval 1 hour) as ended_at

    from segments

    inner join numbers
        on segments.first_hour + numbers.number * interval 1 hour < segments.ended_at

)

select
    hours.site_id,
    hours.shift_date,
    hours.shift_id,
    hours.hour,
    {{ whole_sum(microseconds_between('hours.started_at', 'hours.ended_at')) }} as clock_microseconds,
    {{ whole_sum(
        "greatest(" ~ microseconds_between('hours.started_at', 'least(hours.ended_at, as_of.as_of)') ~ ", 0)"
    ) }} as clock_microseconds_so_far
from hours
cross join as_of
group by hours.site_id, hours.shift_date, hours.shift_id, hours.hour
