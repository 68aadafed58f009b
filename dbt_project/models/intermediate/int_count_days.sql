{{ config(
    materialized="incremental", incremental_strategy="scoped", schema="handover",
    meta={"scope": "date", "day": "event_date"}
) }}
-- depends_on: {{ lists_of('date') }}

with counts as (

    select
        site_id,
        {{ utc_date('event_at') }} as event_date,
        camera_id,
        workstation_id,
        event_at,
        unit_count,
        count_total,
        coalesce(count_total, unit_count) as shown,
        count_total is not null as is_reading

    from {{ ref('int_camera_events') }}

    where event_type = 'product_count'

),

-- Of several counts at one instant only one is compared, because their order is unknown.
shown_at as (

    select
        site_id,
        event_date,
        camera_id,
        workstation_id,
        is_reading,
        event_at,
        max(shown) as shown,
        max(unit_count) as unit_count

    from counts

    group by site_id, event_date, camera_id, workstation_id, is_reading, event_at

),

-- Of these records only one counts: nothing tells them apart, and one object has them all.
same as (

    select
        site_id,
        {{ utc_date('event_at') }} as event_date,
        camera_id,
        workstation_id,
        count(*) as record_count

    from {{ ref('stg_raw__events') }}

    where
        event_type = 'product_count'
        and count_total is null
        and {{ within_days('event_at', ref('int_affected_dates'), 'event_date') }}

    group by
        site_id, event_at, camera_id, workstation_id, worker_id, model_name, model_version, event_id, object_id

    having count(*) > 1

),

repeated as (

    select
        site_id,
        event_date,
        camera_id,
        workstation_id,
        false as is_reading,
        {{ whole_sum('record_count - 1') }} as repeat_count

    from same

    group by site_id, event_date, camera_id, workstation_id

),

compared as (

    select
        *,
        lag(shown) over (
            partition by site_id, event_date, camera_id, workstation_id, is_reading
            order by event_at
        ) as previous

    from shown_at

),

days as (

    select
        site_id,
        event_date,
        camera_id,
        workstation_id,
        is_reading,
        count(*) as record_count,
        count(*) filter (where shown > previous) as rise_count,
        count(*) filter (where shown < previous) as fall_count,
        max({{ microseconds_between(utc_midnight('event_date'), 'event_at') }} % 1000000) = 0 as is_whole_seconds,
        max(unit_count) as most_units,
        {{ quantile('case when unit_count > 0 then unit_count end', 0.5) }} as usual_units

    from compared

    group by site_id, event_date, camera_id, workstation_id, is_reading

)

select
    days.*,
    coalesce(repeated.repeat_count, 0) as repeat_count
from days
left join repeated
    on days.site_id = repeated.site_id
    and days.event_date = repeated.event_date
    and days.camera_id = repeated.camera_id
    and days.workstation_id = repeated.workstation_id
    and days.is_reading = repeated.is_reading
