{{ config(tags=["whole"]) }}

with sightings as (

    select * from {{ ref('int_review_sightings') }}

),

labels as (

    select * from {{ ref('int_labels') }}

)

select distinct
    labels.event_key,
    sightings.site_id
from labels
inner join sightings
    on labels.event_key = sightings.event_key
