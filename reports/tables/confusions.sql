-- One row per site, model version, reported type, labelled type, week of the event and bin of confidence (fiftieths).
select
    site_id,
    model_name,
    model_version,
    event_type,
    true_event_type,
    week_started_on,
    bin,
    labelled_events
from label_confidence
order by site_id, model_name, model_version, event_type, true_event_type, week_started_on, bin
