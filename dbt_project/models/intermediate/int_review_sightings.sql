{{ config(materialized="scoped", meta={"scope": "date", "at": "event_at"}) }}

with camera_events as (

    select * from {{ ref('int_camera_events') }}

),

keyed as (

    select
        *,
        {{ event_key() }} as event_key

    from camera_events

),

settings as (

    select * from {{ ref('stg_raw__settings') }}

),

labelled as (

    select distinct event_key from {{ ref('stg_raw__labels') }}

)

select
    keyed.site_id,
    keyed.event_key,
    keyed.event_at,
    keyed.worker_id,
    keyed.workstation_id,
    keyed.event_type,
    keyed.camera_id,
    keyed.model_name,
    keyed.model_version,
    keyed.confidence,
    keyed.unit_count
from keyed
cross join settings
left join labelled
    on keyed.event_key = labelled.event_key
where
    keyed.event_key < settings.review_keys_below
    or labelled.event_key is not null
