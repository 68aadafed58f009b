-- One row per site, model version and type of the period's sample: how many events are labelled, how many are asked for,
-- and how wide the interval of the accuracy is by all labels. What is known least is most worth labelling.
with sampled as (

    select
        site_id,
        model_name,
        model_version,
        event_type,
        (count(*) filter (where is_asked))::double as events,
        (count(*) filter (where not is_asked))::double as labelled_events,
        avg(confidence) filter (where is_asked) as mean_confidence
    from plant.review_events
    where ($site is null or site_id = $site) and event_date between $from_date and $to_date
    group by site_id, model_name, model_version, event_type

),

checks as (

    select
        site_id,
        model_name,
        model_version,
        event_type,
        sum(labelled_events)::double as checked,
        sum(correct_events)::double as correct
    from plant.label_weeks
    group by site_id, model_name, model_version, event_type
    having sum(labelled_events) > 0

)

select
    sampled.site_id,
    sampled.model_name || ' ' || sampled.model_version as model,
    sampled.event_type,
    cast(sampled.labelled_events as integer) || ' of ' || cast(sampled.labelled_events + sampled.events as integer) as done,
    sampled.events,
    sampled.labelled_events,
    sampled.mean_confidence,
    coalesce(
        2 * 1.96 * sqrt(checks.correct / checks.checked * (1 - checks.correct / checks.checked) / checks.checked + 0.9604 / (checks.checked * checks.checked)) / (1 + 3.8416 / checks.checked),
        1
    ) as width
from sampled
left join checks
    on
        sampled.site_id = checks.site_id
        and sampled.model_name = checks.model_name
        and sampled.model_version = checks.model_version
        and sampled.event_type = checks.event_type
order by width desc, events desc, sampled.site_id, model, sampled.event_type
