{{ config(meta={"scope": "window", "names": ["workstation"]}) }}

-- Also of windows without new events: a changed target is a change of all the windows that it holds for.
with station_windows as (

    select
        site_id,
        shift_date,
        shift_id,
        workstation_id,
        window_started_at,
        window_ended_at

    from {{ ref('int_workstation_shift_history') }}

    where shift_id <> 'unscheduled' and ({{ computed_again() }})

),

targets as (

    select * from {{ ref('stg_raw__targets') }}

),

closures as (

    select * from {{ ref('stg_raw__closures') }}

),

ranked as (

    select
        station_windows.*,
        targets.target_units_per_hour,
        -- A shift's own target comes before that of all shifts.
        row_number() over (
            partition by
                station_windows.site_id,
                station_windows.shift_date,
                station_windows.shift_id,
                station_windows.workstation_id
            order by case when targets.shift_id = '*' then 1 else 0 end
        ) as target_rank

    from station_windows

    inner join targets
        on station_windows.site_id = targets.site_id
        and station_windows.workstation_id = targets.workstation_id
        and (targets.shift_id = '*' or station_windows.shift_id = targets.shift_id)
        and {{ holds_on('targets', 'station_windows.shift_date') }}

    where not {{ is_closed('closures', 'station_windows') }}

)

select
    site_id,
    shift_date,
    shift_id,
    workstation_id,
    target_units_per_hour,
    window_started_at,
    window_ended_at,
    {{ microseconds_between('window_started_at', 'window_ended_at') }} as scheduled_microseconds
from ranked
where target_rank = 1
