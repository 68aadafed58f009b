-- depends_on: {{ lists_of('shift_date', ['workstation']) }}

with station_targets as (

    select
        *,
        {{ units_in('target_units_per_hour', 'clock_microseconds_so_far') }} as target_units_so_far

    from {{ ref('int_station_targets') }}

),

window_time as (

    select * from {{ ref('int_window_time') }}

),

workstation_shifts as (

    select *
    from {{ ref('int_workstation_shift_history') }}
    where {{ computed_again() }}

),

watched_time as (

    select *
    from {{ ref('int_watched_time_history') }}
    where {{ computed_again() }}

),

workstations as (

    select * from {{ ref('stg_raw__workstations') }}

)

select
    station_targets.site_id,
    station_targets.shift_date,
    station_targets.shift_id,
    station_targets.workstation_id,
    coalesce(workstations.workstation_name, station_targets.workstation_id) as workstation_name,
    workstations.station_type,
    workstations.line,
    workstations.workstation_id is not null as is_registered,
    cast({{ seconds('window_time.scheduled_microseconds') }} as double) as scheduled_seconds,
    station_targets.target_units_per_hour,
    cast(
        {{ units_in('station_targets.target_units_per_hour', 'station_targets.clock_microseconds') }} as double
    ) as target_units,
    cast(station_targets.target_units_so_far as double) as target_units_so_far,
    coalesce(workstation_shifts.units, 0) as units,
    cast({{ seconds('coalesce(workstation_shifts.staffed_microseconds, 0)') }} as double) as staffed_seconds,
    cast({{ seconds('coalesce(workstation_shifts.observed_microseconds, 0)') }} as double) as observed_seconds,
    {{ ratio('coalesce(workstation_shifts.observed_microseconds, 0)', 'station_targets.clock_microseconds') }}
        as coverage,
    {{ ratio('coalesce(workstation_shifts.units, 0)', 'station_targets.target_units_so_far') }} as attainment,
    cast({{ seconds('watched_time.working_microseconds') }} as double) as working_seconds,
    cast({{ seconds('watched_time.idle_microseconds') }} as double) as idle_seconds,
    cast({{ seconds(
        '(watched_time.watched_microseconds - watched_time.working_microseconds - watched_time.idle_microseconds)'
    ) }} as double) as unstaffed_seconds,
    cast({{ seconds(
        '(station_targets.clock_microseconds_so_far - watched_time.watched_microseconds)'
    ) }} as double) as not_seen_seconds
from station_targets
inner join window_time
    on station_targets.site_id = window_time.site_id
    and station_targets.shift_date = window_time.shift_date
    and station_targets.shift_id = window_time.shift_id
left join workstation_shifts
    on station_targets.site_id = workstation_shifts.site_id
    and station_targets.shift_date = workstation_shifts.shift_date
    and station_targets.shift_id = workstation_shifts.shift_id
    and station_targets.workstation_id = workstation_shifts.workstation_id
left join watched_time
    on station_targets.site_id = watched_time.site_id
    and station_targets.shift_date = watched_time.shift_date
    and station_targets.shift_id = watched_time.shift_id
    and station_targets.workstation_id = watched_time.workstation_id
left join workstations
    on station_targets.site_id = workstations.site_id
    and station_targets.workstation_id = workstations.workstation_id
where station_targets.is_published
