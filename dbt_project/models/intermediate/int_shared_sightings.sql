{{ config(materialized="incremental", incremental_strategy="scoped", meta={"scope": "date", "day": "event_date"}) }}
-- depends_on: {{ lists_of('date') }}

with camera_events as (

    select * from {{ ref('int_camera_events') }}

),

-- The state that a camera reports for a worker at a station, or for the station itself, at an instant; of two states at
-- once the one that lasts (contract §5). Counts report no state, and cameras with different clocks share no instant, so
-- neither is compared.
states as (

    select
        site_id,
        event_at,
        worker_id,
        workstation_id,
        camera_id,
        model_name,
        model_version,
        max({{ pair('confidence', 'event_type') }}) as lasting

    from camera_events

    where is_crowded and event_type <> 'product_count'

    group by site_id, event_at, worker_id, workstation_id, camera_id, model_name, model_version

),

scenes as (

    select
        site_id,
        event_at,
        worker_id,
        workstation_id,
        min(camera_id) <> max(camera_id) as is_shared,
        min(lasting.second) <> max(lasting.second) as is_disagreeing

    from states

    group by site_id, event_at, worker_id, workstation_id

)

select
    states.site_id,
    {{ utc_date('states.event_at') }} as event_date,
    states.camera_id,
    states.model_name,
    states.model_version,
    count(*) as shared_sightings,
    count(*) filter (where scenes.is_disagreeing) as disagreeing_sightings
from states
inner join scenes
    on
    states.site_id = scenes.site_id
    and states.event_at = scenes.event_at
    and states.worker_id is not distinct from scenes.worker_id  -- a missing worker is a subject too: the station itself
    and states.workstation_id = scenes.workstation_id
where scenes.is_shared
group by states.site_id, {{ utc_date('states.event_at') }}, states.camera_id, states.model_name, states.model_version
