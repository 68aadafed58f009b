-- One row per site, model version and reported type, over all weeks: how often people agree with what was reported.
select
    site_id,
    model_name || ' ' || model_version as model,
    event_type,
    sum(labelled_events)::double as labelled_events,
    sum(disputed_events)::double as disputed_events,
    sum(correct_events)::double / nullif(sum(labelled_events), 0) as accuracy
from label_accuracy
group by site_id, model, event_type
order by site_id, model, event_type
