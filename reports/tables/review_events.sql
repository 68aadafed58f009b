-- One row per event of the review sample, of the last 92 days. `is_asked`: nobody has labelled it yet, or its reviewers
-- disagree.
select
    review_queue.site_id,
    review_queue.event_key,
    cast(review_queue.timestamp as date) as event_date,
    epoch_ms(review_queue.timestamp) as event_ms,
    review_queue.event_type,
    review_queue.workstation_id,
    review_queue.camera_id,
    review_queue.model_name,
    review_queue.model_version,
    review_queue.confidence,
    coalesce(labelled_events.is_disputed, true) as is_asked
from review_queue
left join labelled_events
    on review_queue.site_id = labelled_events.site_id and review_queue.event_key = labelled_events.event_key
where cast(review_queue.timestamp as date) > (select max(cast(review_queue.timestamp as date)) from review_queue) - 92
order by event_ms, review_queue.event_key
