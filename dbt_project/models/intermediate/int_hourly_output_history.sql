{{ config(materialized="incremental", incremental_strategy="scoped", meta={"scope": "window", "day": "shift_date"}) }}
-- depends_on: {{ lists_of('window') }}

with station_hours as (

    select * from {{ ref('int_station_hours') }}

),

affected_windows as (

    select * from {{ ref('int_affected_windows') }}

),

counted as (

    select
        events.site_id,
        events.workstation_id,
        {{ local_hour('events.counted_at', 'events.hour_shift') }} as hour,
        events.shift_date,
        events.shift_id,
        {{ whole_sum('events.unit_count') }} as units

    from {{ ref('int_sequenced_events') }} as events

    inner join affected_windows
        on events.site_id = affected_windows.site_id
        and events.shift_date = affected_windows.shift_date
        and events.shift_id = affected_windows.shift_id

    where events.event_type = 'product_count'

    group by
        events.site_id,
        events.workstation_id,
        {{ local_hour('events.counted_at', 'events.hour_shift') }},
        events.shift_date,
        events.shift_id

)

select
    coalesce(counted.site_id, station_hours.site_id) as site_id,
    coalesce(counted.workstation_id, station_hours.workstation_id) as workstation_id,
    coalesce(counted.hour, station_hours.hour) as hour,
    coalesce(counted.shift_date, station_hours.shift_date) as shift_date,
    coalesce(counted.shift_id, station_hours.shift_id) as shift_id,
    coalesce(counted.units, 0) as units,
    coalesce(station_hours.working_microseconds, 0) as working_microseconds,
    coalesce(station_hours.idle_microseconds, 0) as idle_microseconds,
    coalesce(station_hours.worked_microseconds, 0) as worked_microseconds,
    coalesce(station_hours.staffed_microseconds, 0) as staffed_microseconds,
    coalesce(station_hours.observed_microseconds, 0) as observed_microseconds
from counted
full outer join station_hours
    on counted.site_id = station_hours.site_id
    and counted.workstation_id = station_hours.workstation_id
    and counted.hour = station_hours.hour
    and counted.shift_date = station_hours.shift_date
    and counted.shift_id = station_hours.shift_id
