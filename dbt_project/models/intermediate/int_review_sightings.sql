{{ config(materialized="incremental", incremental_strategy="scoped", meta={"scope": "date", "day": "event_at"}) }}
-- depends_on: {{ lists_of('date') }}

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

),

sampled as (

    select keyed.*

    from keyed

    cross join settings

    left join labelled
        on keyed.event_key = labelled.event_key

    where
        keyed.event_key < settings.review_keys_below
        or labelled.event_key is not null

),

-- A counter's reading has the key of a count at its instant: for reviewers of the scene they are one event.
ranked as (

    select
        *,
        row_number() over (
            partition by event_key, camera_id, model_name, model_version
            order by confidence desc, unit_count desc, count_total asc nulls first
        ) as sighting_rank

    from sampled

)

select
    site_id,
    event_key,
    event_at,
    worker_id,
    workstation_id,
    event_type,
    camera_id,
    model_name,
    model_version,
    confidence,
    unit_count
from ranked
where sighting_rank = 1
