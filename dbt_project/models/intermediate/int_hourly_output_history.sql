{{ config(materialized="scoped", meta={"scope": "window"}) }}

with events as (

    select * from {{ ref('int_windowed_events') }}

),

hourly_states as (

    select * from {{ ref('int_hourly_states') }}

),

hourly_units as (

    select
        site_id,
        workstation_id,
        {{ utc_hour('event_at') }} as hour,
        shift_date,
        shift_id,
        {{ whole_sum('unit_count') }} as units

    from events

    where event_type = 'product_count'

    group by site_id, workstation_id, {{ utc_hour('event_at') }}, shift_date, shift_id

)

select
    coalesce(hourly_units.site_id, hourly_states.site_id) as site_id,
    coalesce(hourly_units.workstation_id, hourly_states.workstation_id) as workstation_id,
    coalesce(hourly_units.hour, hourly_states.hour) as hour,
    coalesce(hourly_units.shift_date, hourly_states.shift_date) as shift_date,
    coalesce(hourly_units.shift_id, hourly_states.shift_id) as shift_id,
    coalesce(hourly_units.units, 0) as units,
    coalesce(hourly_states.working_microseconds, 0) as working_microseconds,
    coalesce(hourly_states.idle_microseconds, 0) as idle_microseconds
from hourly_units
full outer join hourly_states
    on hourly_units.site_id = hourly_states.site_id
    and hourly_units.workstation_id = hourly_states.workstation_id
    and hourly_units.hour = hourly_states.hour
    and hourly_units.shift_date = hourly_states.shift_date
    and hourly_units.shift_id = hourly_states.shift_id
