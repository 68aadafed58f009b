select
    site_id,
    model_name || ' ' || model_version as model,
    event_type,
    true_event_type,
    labelled_events::double as labelled_events,
    share_of_reported
from label_confusion
order by site_id, model, event_type, true_event_type
