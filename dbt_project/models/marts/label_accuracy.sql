{{ config(materialized="replaced", tags=["whole"]) }}

with labelled_events as (

    select * from {{ ref('int_labelled_events') }}

),

-- Hand-picked events are counted apart: who picks hard cases would find a model worse than it is.
counted as (

    select
        site_id,
        model_name,
        model_version,
        event_type,
        {{ iso_week('event_date') }} as week_started_on,
        count(true_event_type) filter (where is_sampled) as labelled_events,
        count(*) filter (where is_correct and is_sampled) as correct_events,
        count(*) filter (where is_disputed and is_sampled) as disputed_events,
        count(true_event_type) filter (where not is_sampled) as hand_picked_events

    from labelled_events

    group by site_id, model_name, model_version, event_type, {{ iso_week('event_date') }}

)

select
    site_id,
    model_name,
    model_version,
    event_type,
    week_started_on,
    labelled_events,
    correct_events,
    disputed_events,
    hand_picked_events,
    {{ ratio('correct_events', 'labelled_events') }} as accuracy,
    {{ wilson_low('correct_events', 'labelled_events') }} as accuracy_low,
    {{ wilson_high('correct_events', 'labelled_events') }} as accuracy_high
from counted
