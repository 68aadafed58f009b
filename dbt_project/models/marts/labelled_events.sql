{{ config(materialized="replaced", tags=["whole"]) }}

with labelled_events as (

    select * from {{ ref('int_labelled_events') }}

)

select distinct
    site_id,
    event_key,
    is_disputed
from labelled_events
where is_sampled
