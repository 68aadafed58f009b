-- One row per site, model version and type of the period: how many events are to be labelled.
select
    site_id,
    model_name || ' ' || model_version as model,
    event_type,
    count(*)::double as events,
    avg(confidence) as mean_confidence
from plant.review_events
where ($site is null or site_id = $site) and event_date between $from_date and $to_date
group by site_id, model, event_type
order by site_id, model, event_type
