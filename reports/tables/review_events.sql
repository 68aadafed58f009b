-- One row per event to be labelled, of the last 92 days.
select
    site_id,
    event_key,
    cast(timestamp as date) as event_date,
    epoch_ms(timestamp) as event_ms,
    event_type,
    workstation_id,
    camera_id,
    model_name,
    model_version,
    confidence
from review_queue
where cast(timestamp as date) > (select max(cast(review_queue.timestamp as date)) from review_queue) - 92
order by event_ms, event_key
