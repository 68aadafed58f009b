-- One row per site, model version and type of the period's sample: how many events are labelled, and how many are asked for.
select
    site_id,
    model_name || ' ' || model_version as model,
    event_type,
    (count(*) filter (where is_asked))::double as events,
    (count(*) filter (where not is_asked))::double as labelled_events,
    avg(confidence) filter (where is_asked) as mean_confidence
from plant.review_events
where ($site is null or site_id = $site) and event_date between $from_date and $to_date
group by site_id, model, event_type
order by site_id, model, event_type
