{{ config(meta={"scope": "shift_date", "names": ["workstation"]}) }}
-- depends_on: {{ lists_of('shift_date', ['workstation']) }}

-- Includes dates without new events: a changed target changes all windows that it applies to.
with shift_dates as (

    select
        site_id,
        shift_date,
        bool_or(is_published) as is_published

    from (
        select
            site_id,
            shift_date,
            true as is_published
        from {{ ref('site_shifts') }}

        union

        -- By the clock a station may have worked on a date without any person.
        select
            site_id,
            shift_date,
            false as is_published
        from {{ ref('int_workstation_shift_history') }}
    ) as known_dates

    group by site_id, shift_date

),

windows as (

    select * from {{ ref('int_window_time') }}

),

targets as (

    select * from {{ ref('stg_raw__targets') }}

),

closures as (

    select * from {{ ref('stg_raw__closures') }}

),

ranked as (

    select
        windows.site_id,
        windows.shift_date,
        windows.shift_id,
        targets.workstation_id,
        targets.target_units_per_hour,
        windows.clock_microseconds,
        windows.clock_microseconds_so_far,
        shift_dates.is_published,
        -- A shift's own target takes precedence over that of all shifts.
        row_number() over (
            partition by windows.site_id, windows.shift_date, windows.shift_id, targets.workstation_id
            order by case when targets.shift_id = '*' then 1 else 0 end
        ) as target_rank

    from shift_dates

    inner join windows
        on shift_dates.site_id = windows.site_id
        and shift_dates.shift_date = windows.shift_date

    inner join targets
        on windows.site_id = targets.site_id
        and (targets.shift_id = '*' or windows.shift_id = targets.shift_id)
        and {{ holds_on('targets', 'windows.shift_date') }}

    where not {{ is_closed('closures', 'windows') }}

)

select
    site_id,
    shift_date,
    shift_id,
    workstation_id,
    target_units_per_hour,
    clock_microseconds,
    clock_microseconds_so_far,
    is_published
from ranked
where target_rank = 1 and ({{ computed_again() }})
