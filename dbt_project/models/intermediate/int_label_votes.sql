{{ config(tags=["whole"]) }}

with labels as (

    select * from {{ ref('int_labels') }}

),

votes as (

    select
        event_key,
        true_event_type,
        count(*) as vote_count

    from labels

    group by event_key, true_event_type

),

best as (

    select
        event_key,
        max(vote_count) as best_count,
        sum(vote_count) as reviewer_count,
        count(*) as answer_count,
        -- the number of agreeing pairs of reviewers (Fleiss 1971), counted as ordered pairs, so that all values are
        -- whole
        sum(vote_count * (vote_count - 1)) as agreeing_pairs

    from votes

    group by event_key

),

-- The answer with most votes wins. If two answers tie, the event is disputed.
winners as (

    select
        votes.event_key,
        min(votes.true_event_type) as true_event_type,
        count(*) as winner_count

    from votes

    inner join best
        on
        votes.event_key = best.event_key
        and votes.vote_count = best.best_count

    group by votes.event_key

)

select
    best.event_key,
    case when winners.winner_count = 1 then winners.true_event_type end as true_event_type,
    cast(best.reviewer_count as bigint) as reviewer_count,
    cast(best.agreeing_pairs as bigint) as agreeing_pairs,
    winners.winner_count > 1 as is_disputed,
    best.answer_count = 1 as is_unanimous
from best
inner join winners
    on best.event_key = winners.event_key
