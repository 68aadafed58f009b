with events as (

    select * from {{ ref('stg_raw__events') }}

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

    from events

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
