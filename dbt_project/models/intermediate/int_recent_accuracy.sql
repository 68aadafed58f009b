{{ config(schema="handover", tags=["whole"]) }}

with labelled_events as (

    select * from {{ ref('int_labelled_events') }}

),

model_versions as (

    select * from {{ ref('model_versions') }}

),

newest as (

    select
        site_id,
        model_name,
        max({{ utc_date('last_event_at') }}) as newest_date

    from model_versions

    group by site_id, model_name

),

counted as (

    select
        labelled_events.site_id,
        labelled_events.model_name,
        labelled_events.model_version,
        count(labelled_events.true_event_type) as labelled_events,
        count(*) filter (where labelled_events.is_correct) as correct_events

    from labelled_events

    inner join newest
        on labelled_events.site_id = newest.site_id
        and labelled_events.model_name = newest.model_name
        and labelled_events.event_date > newest.newest_date - {{ var('recent_label_days') }}

    where labelled_events.is_sampled

    group by labelled_events.site_id, labelled_events.model_name, labelled_events.model_version

)

select
    site_id,
    model_name,
    model_version,
    labelled_events,
    correct_events
from counted
