-- depends_on: {{ lists_of('shift_date', ['workstation']) }}

with hourly_output as (

    select *
    from {{ ref('int_hourly_output_history') }}
    where {{ computed_again() }}

),

station_targets as (

    select * from {{ ref('int_station_targets') }}

),

window_hours as (

    select * from {{ ref('int_window_hours') }}

),

-- A station with a target has a row for every hour of its window, because the board must show hours without output.
target_hours as (

    select
        station_targets.site_id,
        station_targets.workstation_id,
        station_targets.shift_date,
        station_targets.shift_id,
        window_hours.hour

    from station_targets

    inner join window_hours
        on station_targets.site_id = window_hours.site_id
        and station_targets.shift_date = window_hours.shift_date
        and station_targets.shift_id = window_hours.shift_id

    where station_targets.is_published

),

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
        coalesce(hourly_output.staffed_microseconds, 0) as staffed_microseconds,
        coalesce(hourly_output.observed_microseconds, 0) as observed_microseconds

    from hourly_output

    full outer join target_hours
        on hourly_output.site_id = target_hours.site_id
        and hourly_output.workstation_id = target_hours.workstation_id
        and hourly_output.hour = target_hours.hour
        and hourly_output.shift_date = target_hours.shift_date
        and hourly_output.shift_id = target_hours.shift_id

),

timed as (

    select
        hours.*,
        station_targets.target_units_per_hour,
        window_hours.clock_microseconds,
        window_hours.clock_microseconds_so_far

    from hours

    left join station_targets
        on hours.site_id = station_targets.site_id
        and hours.workstation_id = station_targets.workstation_id
        and hours.shift_date = station_targets.shift_date
        and hours.shift_id = station_targets.shift_id

    left join window_hours
        on hours.site_id = window_hours.site_id
        and hours.hour = window_hours.hour
        and hours.shift_date = window_hours.shift_date
        and hours.shift_id = window_hours.shift_id

),

-- Whole microseconds are summed and multiplied once, so that the last hour's target equals that of the window.
running as (

    select
        *,
        cast(sum(units) over up_to_now as bigint) as cumulative_units,
        cast(sum(clock_microseconds) over up_to_now as bigint) as cumulative_microseconds,
        cast(sum(clock_microseconds_so_far) over up_to_now as bigint) as cumulative_microseconds_so_far

    from timed

    window up_to_now as (
        partition by site_id, workstation_id, shift_date, shift_id
        order by hour
        rows between unbounded preceding and current row
    )

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
    cast({{ units_in('target_units_per_hour', 'clock_microseconds') }} as double) as target_units,
    cast({{ units_in('target_units_per_hour', 'clock_microseconds_so_far') }} as double) as target_units_so_far,
    cumulative_units,
    cast({{ units_in('target_units_per_hour', 'cumulative_microseconds') }} as double) as cumulative_target_units,
    cast(
        cumulative_units - {{ units_in('target_units_per_hour', 'cumulative_microseconds_so_far') }} as double
    ) as cumulative_gap,
    cast({{ seconds('observed_microseconds') }} as double) as observed_seconds,
    {{ ratio('observed_microseconds', 'clock_microseconds') }} as coverage,
    cast({{ seconds('staffed_microseconds') }} as double) as staffed_seconds
from running
