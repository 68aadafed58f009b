{{ config(materialized="scoped", meta={"scope": "window", "names": ["workstation"]}) }}

with hourly_output as (

    select *
    from {{ ref('int_hourly_output_history') }}
    where {{ computed_again() }}

),

target_hours as (

    select * from {{ ref('int_target_hours') }}

),

-- A station that has a target has a row for every hour of its window: an hour without output is what the board is for.
hours as (

    select
        coalesce(hourly_output.site_id, target_hours.site_id) as site_id,
        coalesce(hourly_output.workstation_id, target_hours.workstation_id) as workstation_id,
        coalesce(hourly_output.hour, target_hours.hour) as hour,
        coalesce(hourly_output.shift_date, target_hours.shift_date) as shift_date,
        coalesce(hourly_output.shift_id, target_hours.shift_id) as shift_id,
        coalesce(hourly_output.units, 0) as units,
        coalesce(hourly_output.working_microseconds, 0) as working_microseconds,
        coalesce(hourly_output.idle_microseconds, 0) as idle_microseconds,
        target_hours.target_units_per_hour,
        target_hours.scheduled_microseconds

    from hourly_output

    full outer join target_hours
        on hourly_output.site_id = target_hours.site_id
        and hourly_output.workstation_id = target_hours.workstation_id
        and hourly_output.hour = target_hours.hour
        and hourly_output.shift_date = target_hours.shift_date
        and hourly_output.shift_id = target_hours.shift_id

),

-- Whole numbers are added up and multiplied once, so that the last hour's target is that of the window.
running as (

    select
        *,
        cast(sum(units) over (
            partition by site_id, workstation_id, shift_date, shift_id
            order by hour
            rows between unbounded preceding and current row
        ) as bigint) as cumulative_units,
        cast(sum(scheduled_microseconds) over (
            partition by site_id, workstation_id, shift_date, shift_id
            order by hour
            rows between unbounded preceding and current row
        ) as bigint) as cumulative_microseconds

    from hours

)

select
    site_id,
    workstation_id,
    hour,
    shift_date,
    shift_id,
    units,
    cast({{ seconds('working_microseconds') }} as double) as working_seconds,
    cast({{ seconds('idle_microseconds') }} as double) as idle_seconds,
    cast({{ units_in('target_units_per_hour', 'scheduled_microseconds') }} as double) as target_units,
    cumulative_units,
    cast({{ units_in('target_units_per_hour', 'cumulative_microseconds') }} as double) as cumulative_target_units,
    cast(
        cumulative_units - {{ units_in('target_units_per_hour', 'cumulative_microseconds') }} as double
    ) as cumulative_gap
from running
