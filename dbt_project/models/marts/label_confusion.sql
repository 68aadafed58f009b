{{ config(materialized="replaced", tags=["whole"]) }}

with label_confidence as (

    select * from {{ ref('label_confidence') }}

),

counted as (

    select
        site_id,
        model_name,
        model_version,
        event_type,
        true_event_type,
        {{ whole_sum('labelled_events') }} as labelled_events

    from label_confidence

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
