-- One row per site, model version and type: how many events people are asked to label.
select
    site_id,
    model_name || ' ' || model_version as model,
    event_type,
    count(*)::double as events,
    avg(confidence) as mean_confidence
from review_queue
group by site_id, model, event_type
order by site_id, model, event_type
