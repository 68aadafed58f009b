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
        max({{ pair('confidence', 'unit_count') }}) as best

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
    best.second as unit_count
from most_confident
