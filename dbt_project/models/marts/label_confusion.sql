{{ config(materialized="replaced", tags=["whole"]) }}

with labelled_events as (

    select * from {{ ref('int_labelled_events') }}

),

counted as (

    select
        site_id,
        model_name,
        model_version,
        event_type,
        true_event_type,
        count(*) as labelled_events

    from labelled_events

    where is_sampled and not is_disputed

    group by site_id, model_name, model_version, event_type, true_event_type

)

select
    site_id,
    model_name,
    model_version,
    event_type,
    true_event_type,
    labelled_events,
    {{ ratio(
        'labelled_events',
        'sum(labelled_events) over (partition by site_id, model_name, model_version, event_type)'
    ) }} as share_of_reported
from counted
