{{ config(materialized="replaced", tags=["whole"]) }}

with model_days as (

    select * from {{ ref('model_days') }}

),

model_versions as (

    select * from {{ ref('model_versions') }}

),

shared_sightings as (

    select * from {{ ref('int_shared_sightings') }}

),

label_accuracy as (

    select * from {{ ref('label_accuracy') }}

),

seen as (

    select
        site_id,
        model_name,
        model_version,
        count(*) as camera_count,
        min(first_event_at) as first_event_at,
        max(last_event_at) as last_event_at

    from model_versions

    group by site_id, model_name, model_version

),

confidence as (

    select
        site_id,
        model_name,
        model_version,
        count(distinct event_date) as day_count,
        {{ whole_sum('event_count') }} as event_count,
        {{ exact_sum('mean_confidence * event_count') }} / nullif(sum(event_count), 0) as mean_confidence,
        {{ whole_sum('working_events') }} as working_events,
        {{ whole_sum('idle_events') }} as idle_events,
        {{ whole_sum('absent_events') }} as absent_events,
        {{ whole_sum('product_count_events') }} as product_count_events

    from model_days

    group by site_id, model_name, model_version

),

scenes as (

    select
        site_id,
        model_name,
        model_version,
        {{ whole_sum('shared_sightings') }} as shared_sightings,
        {{ whole_sum('disagreeing_sightings') }} as disagreeing_sightings

    from shared_sightings

    group by site_id, model_name, model_version

),

labelled as (

    select
        site_id,
        model_name,
        model_version,
        {{ whole_sum('labelled_events') }} as labelled_events,
        {{ whole_sum('correct_events') }} as correct_events,
        {{ whole_sum('disputed_events') }} as disputed_events

    from label_accuracy

    group by site_id, model_name, model_version

),

joined as (

    select
        seen.site_id,
        seen.model_name,
        seen.model_version,
        seen.camera_count,
        seen.first_event_at,
        seen.last_event_at,
        confidence.day_count,
        confidence.event_count,
        confidence.mean_confidence,
        confidence.working_events,
        confidence.idle_events,
        confidence.absent_events,
        confidence.product_count_events,
        coalesce(scenes.shared_sightings, 0) as shared_sightings,
        coalesce(scenes.disagreeing_sightings, 0) as disagreeing_sightings,
        coalesce(labelled.labelled_events, 0) as labelled_events,
        coalesce(labelled.correct_events, 0) as correct_events,
        coalesce(labelled.disputed_events, 0) as disputed_events

    from seen

    inner join confidence
        on
        seen.site_id = confidence.site_id
        and seen.model_name = confidence.model_name
        and seen.model_version = confidence.model_version

    left join scenes
        on
        seen.site_id = scenes.site_id
        and seen.model_name = scenes.model_name
        and seen.model_version = scenes.model_version

    left join labelled
        on
        seen.site_id = labelled.site_id
        and seen.model_name = labelled.model_name
        and seen.model_version = labelled.model_version

)

select
    site_id,
    model_name,
    model_version,
    camera_count,
    first_event_at,
    last_event_at,
    day_count,
    event_count,
    mean_confidence,
    {{ ratio('working_events', 'event_count') }} as working_share,
    {{ ratio('idle_events', 'event_count') }} as idle_share,
    {{ ratio('absent_events', 'event_count') }} as absent_share,
    {{ ratio('product_count_events', 'event_count') }} as product_count_share,
    shared_sightings,
    disagreeing_sightings,
    {{ ratio('disagreeing_sightings', 'shared_sightings') }} as disagreement,
    {{ wilson_low('disagreeing_sightings', 'shared_sightings') }} as disagreement_low,
    {{ wilson_high('disagreeing_sightings', 'shared_sightings') }} as disagreement_high,
    labelled_events,
    correct_events,
    disputed_events,
    {{ ratio('correct_events', 'labelled_events') }} as accuracy,
    {{ wilson_low('correct_events', 'labelled_events') }} as accuracy_low,
    {{ wilson_high('correct_events', 'labelled_events') }} as accuracy_high
from joined
