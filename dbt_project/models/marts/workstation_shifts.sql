{{ config(materialized="scoped", meta={"scope": "window", "names": ["workstation"]}) }}

with workstation_shifts as (

    select *
    from {{ ref('int_workstation_shift_history') }}
    where {{ computed_again() }}

),

workstations as (

    select * from {{ ref('stg_raw__workstations') }}

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
    workstation_shifts.worker_count
from workstation_shifts
left join workstations
    on workstation_shifts.site_id = workstations.site_id
    and workstation_shifts.workstation_id = workstations.workstation_id
