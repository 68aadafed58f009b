with affected_dates as (

    select * from {{ ref('int_affected_dates') }}

),

events as (

    select *
    from {{ ref('stg_raw__events') }}
    where {{ within_days('event_at', ref('int_affected_dates'), 'event_date') }}

),

affected_events as (

    select events.*

    from events

    inner join affected_dates
        on events.site_id = affected_dates.site_id
        and {{ utc_date('events.event_at') }} = affected_dates.event_date

),

-- The largest pair of confidence and count, compared in that order, is the record that stays.
most_confident as (

    select
        site_id,
        event_at,
        worker_id,
        workstation_id,
        event_type,
        camera_id,
        model_name,
        model_version,
        max({{ pair('confidence', 'unit_count') }}) as best,
        -- Objects are numbered as they land: the smallest is the landing that brought the event first.
        min(object_id) as first_object_id

    from affected_events

    group by site_id, event_at, worker_id, workstation_id, event_type, camera_id, model_name, model_version

)

select
    site_id,
    event_at,
    worker_id,
    workstation_id,
    event_type,
    camera_id,
    model_name,
    model_version,
    best.first as confidence,
    best.second as unit_count,
    first_object_id
from most_confident
