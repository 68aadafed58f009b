{{ config(materialized="scoped", meta={"scope": "window", "names": ["workstation"]}) }}

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
        {{ units_in('target_units_per_hour', 'scheduled_microseconds') }} as target_units

    from {{ ref('int_station_targets') }}

)

select
    workstation_shifts.site_id,
    workstation_shifts.shift_date,
    workstation_shifts.shift_id,
    workstation_shifts.workstation_id,
    coalesce(workstations.workstation_name, workstation_shifts.workstation_id) as workstation_name,
    workstations.station_type,
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
    cast(station_targets.target_units as double) as target_units,
    {{ ratio('workstation_shifts.units', 'station_targets.target_units') }} as attainment
from workstation_shifts
left join workstations
    on workstation_shifts.site_id = workstations.site_id
    and workstation_shifts.workstation_id = workstations.workstation_id
left join station_targets
    on workstation_shifts.site_id = station_targets.site_id
    and workstation_shifts.shift_date = station_targets.shift_date
    and workstation_shifts.shift_id = station_targets.shift_id
    and workstation_shifts.workstation_id = station_targets.workstation_id
