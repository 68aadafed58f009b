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
        repeats,
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
        max(unit_count) as unit_count,
        {{ whole_sum('repeats') }} as repeats

    from counts

    group by site_id, event_date, camera_id, workstation_id, is_reading, event_at

),

compared as (

    select
        *,
        lag(shown) over (
            partition by site_id, event_date, camera_id, workstation_id, is_reading
            order by event_at
        ) as previous

    from shown_at

)

select
    site_id,
    event_date,
    camera_id,
    workstation_id,
    is_reading,
    count(*) as record_count,
    count(*) filter (where shown > previous) as rise_count,
    count(*) filter (where shown < previous) as fall_count,
    {{ whole_sum('repeats') }} as repeat_count,
    max({{ microseconds_between(utc_midnight('event_date'), 'event_at') }} % 1000000) = 0 as is_whole_seconds,
    max(unit_count) as most_units,
    {{ quantile('case when unit_count > 0 then unit_count end', 0.5) }} as usual_units
from compared
group by site_id, event_date, camera_id, workstation_id, is_reading
