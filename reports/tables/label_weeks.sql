-- One row per site, model version, reported type and week of the event: how many were labelled, and how many of these
-- were right.
select
    site_id,
    model_name,
    model_version,
    event_type,
    week_started_on,
    labelled_events,
    correct_events,
    disputed_events,
    hand_picked_events
from label_accuracy
order by site_id, model_name, model_version, event_type, week_started_on
