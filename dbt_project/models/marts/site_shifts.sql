{{ config(materialized="scoped", meta={"scope": "window"}) }}

with worker_shifts as (

    select * from {{ ref('int_worker_shifts') }}

),

events as (

    select * from {{ ref('int_windowed_events') }}

),

workstation_counts as (

    select
        site_id,
        shift_date,
        shift_id,
        count(distinct workstation_id) as workstation_count

    from events

    group by site_id, shift_date, shift_id

),

worker_sums as (

    select
        site_id,
        shift_date,
        shift_id,
        {{ whole_sum('active_microseconds') }} as productive_microseconds,
        {{ whole_sum('units') }} as units,
        {{ exact_mean(ratio('active_microseconds', 'present_microseconds')) }} as average_utilization,
        count(*) as worker_count,
        {{ whole_sum('observed_microseconds') }} as observed_microseconds,
        case when shift_id <> 'unscheduled' then {{ whole_sum('scheduled_microseconds') }} end as scheduled_microseconds

    from worker_shifts

    group by site_id, shift_date, shift_id

)

select
    worker_sums.site_id,
    worker_sums.shift_date,
    worker_sums.shift_id,
    cast({{ seconds('worker_sums.productive_microseconds') }} as double) as productive_seconds,
    worker_sums.units,
    cast(
        {{ per_hour('worker_sums.units', 'worker_sums.productive_microseconds') }} as double
    ) as units_per_productive_hour,
    worker_sums.average_utilization,
    worker_sums.worker_count,
    workstation_counts.workstation_count,
    cast({{ seconds('worker_sums.observed_microseconds') }} as double) as observed_seconds,
    {{ ratio('worker_sums.observed_microseconds', 'worker_sums.scheduled_microseconds') }} as coverage
from worker_sums
inner join workstation_counts
    on worker_sums.site_id = workstation_counts.site_id
    and worker_sums.shift_date = workstation_counts.shift_date
    and worker_sums.shift_id = workstation_counts.shift_id
