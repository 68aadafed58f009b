-- One row per site, model version and reported type of the period's weeks: how often reviewers agree with the reported
-- type, with Wilson's interval for 95 %; labels outside the review sample are counted apart.
with checks as (

    select
        site_id,
        model_name || ' ' || model_version as model,
        event_type,
        nullif(sum(labelled_events), 0)::double as checked,
        sum(correct_events)::double as correct,
        sum(disputed_events)::double as disputed_events,
        sum(hand_picked_events)::double as hand_picked_events
    from plant.label_weeks
    where ($site is null or site_id = $site) and week_started_on between date_trunc('week', cast($from_date as date)) and $to_date
    group by site_id, model, event_type
    having sum(labelled_events) + sum(hand_picked_events) > 0

)

select
    site_id,
    model,
    event_type,
    coalesce(checked, 0) as labelled_events,
    disputed_events,
    hand_picked_events,
    correct / checked as accuracy,
    (correct / checked + 1.9208 / checked - 1.96 * sqrt(correct / checked * (1 - correct / checked) / checked + 0.9604 / (checked * checked))) / (1 + 3.8416 / checked) as accuracy_low,
    (correct / checked + 1.9208 / checked + 1.96 * sqrt(correct / checked * (1 - correct / checked) / checked + 0.9604 / (checked * checked))) / (1 + 3.8416 / checked) as accuracy_high
from checks
order by site_id, model, event_type
