{{ config(schema="handover", tags=["whole"]) }}

with sightings as (

    select * from {{ ref('int_review_sightings') }}

),

votes as (

    select * from {{ ref('int_label_votes') }}

),

settings as (

    select * from {{ ref('stg_raw__settings') }}

),

-- All versions that reported the event reported one type, because the type is part of the key. Each is right or wrong.
reports as (

    select
        site_id,
        event_key,
        event_at,
        event_type,
        model_name,
        model_version,
        -- of several cameras under one version the surest, and one that is always the same
        max(confidence) as confidence,
        min(camera_id) as camera_id

    from sightings

    group by site_id, event_key, event_at, event_type, model_name, model_version

)

select
    reports.site_id,
    reports.event_key,
    {{ utc_date('reports.event_at') }} as event_date,
    reports.event_type,
    reports.model_name,
    reports.model_version,
    reports.confidence,
    reports.camera_id,
    votes.true_event_type,
    votes.is_disputed,
    votes.reviewer_count,
    votes.is_unanimous,
    coalesce(votes.true_event_type = reports.event_type, false) as is_correct,
    reports.event_key < settings.review_keys_below as is_sampled
from reports
inner join votes
    on reports.event_key = votes.event_key
cross join settings
