-- The newest 200 of the events that people are asked to label.
select
    site_id,
    event_key,
    epoch_ms(timestamp) as event_ms,
    event_type,
    workstation_id,
    camera_id,
    model_name || ' ' || model_version as model,
    confidence
from review_queue
order by timestamp desc, event_key
limit 200
