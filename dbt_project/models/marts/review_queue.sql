-- depends_on: {{ lists_of('date') }}

with sightings as (

    select *
    from {{ ref('int_review_sightings') }}
    where {{ in_scope({"scope": "date", "day": "event_at"}) }}

),

settings as (

    select * from {{ ref('stg_raw__settings') }}

),

-- The record kept of each duplicate key (contract §3): the one that the other marts count.
ranked as (

    select
        sightings.*,
        row_number() over (
            partition by sightings.event_key
            order by
                sightings.confidence desc,
                sightings.unit_count desc,
                sightings.camera_id asc,
                sightings.model_name asc,
                sightings.model_version asc
        ) as duplicate_rank

    from sightings

    cross join settings

    where sightings.event_key < settings.review_keys_below

)

select
    site_id,
    event_key,
    event_at as timestamp,
    worker_id,
    workstation_id,
    event_type,
    confidence,
    camera_id,
    model_name,
    model_version
from ranked
where duplicate_rank = 1
