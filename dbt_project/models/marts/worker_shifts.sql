-- depends_on: {{ lists_of('window', ['worker']) }}

with worker_shifts as (

    select
        site_id,
        shift_date,
        shift_id,
        worker_id,
        scheduled_microseconds,
        {{ whole_sum('units') }} as units,
        {{ whole_sum('event_count') }} as event_count,
        {{ whole_sum('active_microseconds') }} as active_microseconds,
        {{ whole_sum('idle_microseconds') }} as idle_microseconds,
        {{ whole_sum('absent_microseconds') }} as absent_microseconds,
        {{ whole_sum('active_microseconds + idle_microseconds') }} as present_microseconds,
        {{ whole_sum('active_microseconds + idle_microseconds + absent_microseconds') }} as tracked_microseconds,
        {{ whole_sum('observed_microseconds') }} as observed_microseconds

    from {{ ref('int_worker_station_history') }}

    where {{ computed_again() }}

    group by site_id, shift_date, shift_id, worker_id, scheduled_microseconds

),

workers as (

    select * from {{ ref('stg_raw__workers') }}

)

select
    worker_shifts.site_id,
    worker_shifts.shift_date,
    worker_shifts.shift_id,
    worker_shifts.worker_id,
    coalesce(workers.worker_name, worker_shifts.worker_id) as worker_name,
    workers.worker_id is not null as is_registered,
    cast({{ seconds('worker_shifts.active_microseconds') }} as double) as active_seconds,
    cast({{ seconds('worker_shifts.idle_microseconds') }} as double) as idle_seconds,
    cast({{ seconds('worker_shifts.absent_microseconds') }} as double) as absent_seconds,
    cast({{ seconds('worker_shifts.present_microseconds') }} as double) as present_seconds,
    cast({{ seconds('worker_shifts.tracked_microseconds') }} as double) as tracked_seconds,
    cast({{ seconds('worker_shifts.scheduled_microseconds') }} as double) as scheduled_seconds,
    {{ ratio('worker_shifts.active_microseconds', 'worker_shifts.present_microseconds') }} as utilization,
    {{ ratio('worker_shifts.present_microseconds', 'worker_shifts.tracked_microseconds') }} as attendance,
    {{ ratio('worker_shifts.active_microseconds', 'worker_shifts.scheduled_microseconds') }} as shift_utilization,
    worker_shifts.units,
    cast({{ per_hour('worker_shifts.units', 'worker_shifts.active_microseconds') }} as double) as units_per_active_hour,
    cast(
        {{ per_hour('worker_shifts.units', 'worker_shifts.present_microseconds') }} as double
    ) as units_per_present_hour,
    worker_shifts.event_count,
    cast({{ seconds('worker_shifts.observed_microseconds') }} as double) as observed_seconds,
    {{ ratio('worker_shifts.observed_microseconds', 'worker_shifts.scheduled_microseconds') }} as coverage
from worker_shifts
left join workers
    on worker_shifts.site_id = workers.site_id
    and worker_shifts.worker_id = workers.worker_id
