{{ config(materialized="incremental", incremental_strategy="scoped", meta={"scope": "window", "day": "shift_date"}) }}
-- depends_on: {{ lists_of('window') }}

with affected_windows as (

    select * from {{ ref('int_affected_windows') }}

),

hours as (

    select *
    from {{ ref('int_hourly_output_history') }}
    where {{ in_scope({"scope": "window"}) }}

),

-- The workers at a station by the clock. In plain windows these are the workers of the windows of persons.
visits as (

    select
        site_id,
        shift_date,
        shift_id,
        workstation_id,
        worker_id
    from {{ ref('int_subject_stations') }}
    where is_plain

    union

    select
        site_id,
        shift_date,
        shift_id,
        workstation_id,
        worker_id
    from {{ ref('int_clock_stretches') }}
    where not is_plain

    union

    select
        events.site_id,
        events.shift_date,
        events.shift_id,
        events.workstation_id,
        events.worker_id
    from {{ ref('int_sequenced_events') }} as events
    inner join affected_windows
        on events.site_id = affected_windows.site_id
        and events.shift_date = affected_windows.shift_date
        and events.shift_id = affected_windows.shift_id
    where not events.is_plain

),

stations as (

    select
        site_id,
        shift_date,
        shift_id,
        workstation_id,
        count(distinct worker_id) as worker_count

    from visits

    group by site_id, shift_date, shift_id, workstation_id

),

hour_sums as (

    select
        site_id,
        shift_date,
        shift_id,
        workstation_id,
        {{ whole_sum('units') }} as units,
        {{ whole_sum('working_microseconds') }} as working_microseconds,
        {{ whole_sum('idle_microseconds') }} as idle_microseconds,
        {{ whole_sum('worked_microseconds') }} as worked_microseconds,
        {{ whole_sum('staffed_microseconds') }} as staffed_microseconds,
        {{ whole_sum('observed_microseconds') }} as observed_microseconds

    from hours

    group by site_id, shift_date, shift_id, workstation_id

)

select
    stations.site_id,
    stations.shift_date,
    stations.shift_id,
    stations.workstation_id,
    stations.worker_count,
    coalesce(hour_sums.units, 0) as units,
    coalesce(hour_sums.working_microseconds, 0) as working_microseconds,
    coalesce(hour_sums.idle_microseconds, 0) as idle_microseconds,
    coalesce(hour_sums.working_microseconds + hour_sums.idle_microseconds, 0) as occupancy_microseconds,
    coalesce(hour_sums.worked_microseconds, 0) as worked_microseconds,
    coalesce(hour_sums.staffed_microseconds, 0) as staffed_microseconds,
    coalesce(hour_sums.observed_microseconds, 0) as observed_microseconds
from stations
left join hour_sums
    on stations.site_id = hour_sums.site_id
    and stations.shift_date = hour_sums.shift_date
    and stations.shift_id = hour_sums.shift_id
    and stations.workstation_id = hour_sums.workstation_id
