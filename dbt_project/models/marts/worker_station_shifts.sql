with worker_stations as (

    select * from {{ ref('int_worker_stations') }}

),

state_intervals as (

    select * from {{ ref('int_state_intervals') }}

),

workers as (

    select * from {{ ref('stg_raw__workers') }}

),

workstations as (

    select * from {{ ref('stg_raw__workstations') }}

),

state_sums as (

    select
        site_id,
        shift_date,
        shift_id,
        worker_id,
        workstation_id,
        {{ whole_sum("case when state = 'working' then microseconds end") }} as active_microseconds,
        {{ whole_sum("case when state = 'idle' then microseconds end") }} as idle_microseconds,
        {{ whole_sum("case when state = 'absent' then microseconds end") }} as absent_microseconds

    from state_intervals

    group by site_id, shift_date, shift_id, worker_id, workstation_id

),

joined as (

    select
        worker_stations.*,
        coalesce(workers.worker_name, worker_stations.worker_id) as worker_name,
        coalesce(workstations.workstation_name, worker_stations.workstation_id) as workstation_name,
        coalesce(state_sums.active_microseconds, 0) as active_microseconds,
        coalesce(state_sums.idle_microseconds, 0) as idle_microseconds,
        coalesce(state_sums.absent_microseconds, 0) as absent_microseconds,
        coalesce(state_sums.active_microseconds + state_sums.idle_microseconds, 0) as present_microseconds

    from worker_stations

    left join state_sums
        on worker_stations.site_id = state_sums.site_id
        and worker_stations.shift_date = state_sums.shift_date
        and worker_stations.shift_id = state_sums.shift_id
        and worker_stations.worker_id = state_sums.worker_id
        and worker_stations.workstation_id = state_sums.workstation_id

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
