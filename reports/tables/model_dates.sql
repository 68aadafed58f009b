-- One row per site, camera, model and UTC date, a file for each month.
select
    strftime(event_date, '%Y-%m') as part,
    site_id,
    camera_id,
    event_date,
    model_name,
    model_version,
    event_count,
    mean_confidence,
    p05_confidence,
    working_events,
    idle_events,
    absent_events,
    product_count_events
from model_days
order by event_date, site_id, camera_id, model_name, model_version
