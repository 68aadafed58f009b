-- The newest 200 events of the period that are still to be labelled.
select
    site_id,
    event_key,
    event_ms::double as event_ms,
    event_type,
    workstation_id,
    camera_id,
    model_name || ' ' || model_version as model,
    confidence
from plant.review_events
where is_asked and ($site is null or site_id = $site) and event_date between $from_date and $to_date
order by review_events.event_ms desc, event_key
limit 200
