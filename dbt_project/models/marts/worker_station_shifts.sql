-- depends_on: {{ lists_of('window', ['worker', 'workstation']) }}

with worker_stations as (

    select *
    from {{ ref('int_worker_station_history') }}
    where {{ computed_again() }}

),

workers as (

    select * from {{ ref('stg_raw__workers') }}

),

workstations as (

    select * from {{ ref('stg_raw__workstations') }}

),

joined as (

    select
        worker_stations.*,
        coalesce(workers.worker_name, worker_stations.worker_id) as worker_name,
        coalesce(workstations.workstation_name, worker_stations.workstation_id) as workstation_name

    from worker_stations

    left join workers
        on worker_stations.site_id = workers.site_id
        and worker_stations.worker_id = workers.worker_id

    left join workstations
        on worker_stations.site_id = workstations.site_id
        and worker_stations.workstation_id = workstations.workstation_id

)

select
    site_id,
    shift_date,
    shift_id,
    worker_id,
    worker_name,
    workstation_id,
    workstation_name,
    cast({{ seconds('active_microseconds') }} as double) as active_seconds,
    cast({{ seconds('idle_microseconds') }} as double) as idle_seconds,
    cast({{ seconds('absent_microseconds') }} as double) as absent_seconds,
    cast({{ seconds('present_microseconds') }} as double) as present_seconds,
    units,
    cast({{ per_hour('units', 'active_microseconds') }} as double) as units_per_active_hour,
    event_count,
    first_event_at,
    last_event_at,
    cast({{ seconds('observed_microseconds') }} as double) as observed_seconds,
    {{ ratio('observed_microseconds', 'scheduled_microseconds') }} as coverage
from joined
