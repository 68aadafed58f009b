-- One row per site, camera, model and UTC date.
select
    site_id,
    camera_id,
    event_date,
    cast(max(event_date) over (partition by site_id) - event_date as integer) as days_ago,
    model_name,
    model_version,
    event_count,
    mean_confidence,
    p05_confidence
from model_days
order by site_id, camera_id, event_date, model_name, model_version
