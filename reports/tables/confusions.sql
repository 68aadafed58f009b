-- One row per site, model version, reported type and labelled type.
select
    site_id,
    model_name,
    model_version,
    event_type,
    true_event_type,
    labelled_events
from label_confusion
order by site_id, model_name, model_version, event_type, true_event_type
