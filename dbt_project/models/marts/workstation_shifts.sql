-- depends_on: {{ lists_of('shift_date', ['workstation']) }}

with workstation_shifts as (

    select *
    from {{ ref('int_workstation_shift_history') }}
    where {{ computed_again() }}

),

workstations as (

    select * from {{ ref('stg_raw__workstations') }}

),

station_targets as (

    select
        *,
        {{ units_in('target_units_per_hour', 'clock_microseconds_so_far') }} as target_units_so_far

    from {{ ref('int_station_targets') }}

),

window_time as (

    select * from {{ ref('int_window_time') }}

)

select
    workstation_shifts.site_id,
    workstation_shifts.shift_date,
    workstation_shifts.shift_id,
    workstation_shifts.workstation_id,
    coalesce(workstations.workstation_name, workstation_shifts.workstation_id) as workstation_name,
    workstations.station_type,
    workstations.line,
    workstations.workstation_id is not null as is_registered,
    cast({{ seconds('workstation_shifts.working_microseconds') }} as double) as working_seconds,
    cast({{ seconds('workstation_shifts.idle_microseconds') }} as double) as idle_seconds,
    cast({{ seconds('workstation_shifts.occupancy_microseconds') }} as double) as occupancy_seconds,
    cast({{ seconds('workstation_shifts.staffed_microseconds') }} as double) as staffed_seconds,
    {{ ratio('workstation_shifts.working_microseconds', 'workstation_shifts.occupancy_microseconds') }} as utilization,
    workstation_shifts.units,
    cast(
        {{ per_hour('workstation_shifts.units', 'workstation_shifts.occupancy_microseconds') }} as double
    ) as throughput_per_hour,
    workstation_shifts.worker_count,
    station_targets.target_units_per_hour,
    cast(
        {{ units_in('station_targets.target_units_per_hour', 'station_targets.clock_microseconds') }} as double
    ) as target_units,
    cast(station_targets.target_units_so_far as double) as target_units_so_far,
    {{ ratio('workstation_shifts.units', 'station_targets.target_units_so_far') }} as attainment,
    cast({{ seconds('workstation_shifts.observed_microseconds') }} as double) as observed_seconds,
    {{ ratio('workstation_shifts.observed_microseconds', 'window_time.clock_microseconds') }} as coverage
from workstation_shifts
left join workstations
    on workstation_shifts.site_id = workstations.site_id
    and workstation_shifts.workstation_id = workstations.workstation_id
left join station_targets
    on workstation_shifts.site_id = station_targets.site_id
    and workstation_shifts.shift_date = station_targets.shift_date
    and workstation_shifts.shift_id = station_targets.shift_id
    and workstation_shifts.workstation_id = station_targets.workstation_id
left join window_time
    on workstation_shifts.site_id = window_time.site_id
    and workstation_shifts.shift_date = window_time.shift_date
    and workstation_shifts.shift_id = window_time.shift_id
