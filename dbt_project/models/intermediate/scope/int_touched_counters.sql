{{ config(database="scratch") }}

{%- set changed = ref('stg_raw__changed_minutes') %}

with changed_minutes as (

    select distinct
        site_id,
        minute

    from {{ changed }}

),

readings as (

    select
        site_id,
        camera_id,
        workstation_id,
        event_at

    from {{ ref('stg_raw__events') }}

    where
        count_total is not null
        and {{ 'true' if should_full_refresh() else within_days('event_at', changed, 'minute') }}

),

readings_before as (

    select
        site_id,
        camera_id,
        workstation_id,
        event_at

    from {{ readings_before() }} as known

    where {{ within_days('event_at', changed, 'minute') }}

),

all_readings as (

    select * from readings
    union all
    select * from readings_before

),

touching as (

    select
        all_readings.*,
        changed_minutes.minute is not null as is_changed

    from all_readings

    left join changed_minutes
        on all_readings.site_id = changed_minutes.site_id
        and {{ utc_minute('all_readings.event_at') }} = changed_minutes.minute

)

select
    site_id,
    camera_id,
    workstation_id,
    min(event_at) as first_event_at
from touching
where {{ 'true' if should_full_refresh() else 'is_changed' }}
group by site_id, camera_id, workstation_id
