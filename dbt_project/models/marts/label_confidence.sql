{{ config(materialized="replaced", tags=["whole"]) }}

with labelled_events as (

    select * from {{ ref('int_labelled_events') }}

),

binned as (

    select
        site_id,
        model_name,
        model_version,
        event_type,
        true_event_type,
        {{ iso_week('event_date') }} as week_started_on,
        {{ confidence_bin('confidence') }} as bin

    from labelled_events

    where is_sampled and not is_disputed

)

select
    site_id,
    model_name,
    model_version,
    event_type,
    true_event_type,
    week_started_on,
    bin,
    count(*) as labelled_events
from binned
group by site_id, model_name, model_version, event_type, true_event_type, week_started_on, bin
