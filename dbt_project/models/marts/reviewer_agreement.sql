{{ config(materialized="replaced", tags=["whole"]) }}

-- Events of the review sample: hard cases that somebody picked would make reviewers look worse than they are.
with labelled_keys as (

    select distinct
        sightings.event_key,
        sightings.site_id

    from {{ ref('int_review_sightings') }} as sightings

    inner join {{ ref('stg_raw__settings') }} as plant_settings
        on sightings.event_key < plant_settings.review_keys_below

),

votes as (

    select * from {{ ref('int_label_votes') }}

),

labels as (

    select * from {{ ref('int_labels') }}

),

events as (

    select
        labelled_keys.site_id,
        votes.event_key,
        votes.reviewer_count,
        votes.is_unanimous,
        votes.is_disputed,
        -- the share of agreeing pairs of reviewers; null with one reviewer
        {{ ratio('votes.agreeing_pairs', 'votes.reviewer_count * (votes.reviewer_count - 1)') }} as pair_agreement

    from votes

    inner join labelled_keys
        on votes.event_key = labelled_keys.event_key

),

-- How often each answer was given for the events that several people saw.
answers as (

    select
        events.site_id,
        labels.true_event_type,
        count(*) as answer_count

    from labels

    inner join events
        on labels.event_key = events.event_key

    where events.reviewer_count > 1

    group by events.site_id, labels.true_event_type

),

chance as (

    select
        site_id,
        cast(sum(answer_count * answer_count) as double) / (sum(answer_count) * sum(answer_count)) as chance_agreement

    from answers

    group by site_id

),

counted as (

    select
        site_id,
        count(*) as reviewed_events,
        count(*) filter (where reviewer_count > 1) as shared_events,
        count(*) filter (where reviewer_count > 1 and is_unanimous) as unanimous_events,
        count(*) filter (where is_disputed) as disputed_events,
        {{ exact_mean('pair_agreement') }} as pair_agreement

    from events

    group by site_id

)

select
    counted.site_id,
    counted.reviewed_events,
    counted.shared_events,
    counted.unanimous_events,
    counted.disputed_events,
    {{ ratio('counted.unanimous_events', 'counted.shared_events') }} as agreement,
    (counted.pair_agreement - chance.chance_agreement) / nullif(1 - chance.chance_agreement, 0) as fleiss_kappa
from counted
left join chance
    on counted.site_id = chance.site_id
