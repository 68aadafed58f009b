{{ config(materialized="replaced", tags=["whole"]) }}

with registered as (

    select * from {{ ref('stg_raw__sites') }}

),

camera_dates as (

    select * from {{ ref('int_camera_dates') }}

),

shift_windows as (

    select * from {{ ref('shift_windows') }}

),

seen as (

    select
        site_id,
        min(first_event_at) as first_event_at,
        max(last_event_at) as last_event_at

    from camera_dates

    group by site_id

),

complete as (

    select
        site_id,
        max(shift_date) as latest_complete_shift_date

    from shift_windows

    where is_day_complete

    group by site_id

),

joined as (

    select
        coalesce(registered.site_id, seen.site_id) as site_id,
        coalesce(registered.site_name, registered.site_id, seen.site_id) as site_name,
        coalesce(registered.timezone, 'UTC') as timezone,
        registered.site_id is not null as is_registered,
        seen.first_event_at,
        seen.last_event_at

    from registered

    full outer join seen
        on registered.site_id = seen.site_id

)

select
    joined.site_id,
    joined.site_name,
    joined.timezone,
    joined.is_registered,
    joined.first_event_at,
    joined.last_event_at,
    {{ to_local('joined.last_event_at', 'joined.timezone') }} as last_event_local,
    complete.latest_complete_shift_date
from joined
left join complete
    on joined.site_id = complete.site_id
