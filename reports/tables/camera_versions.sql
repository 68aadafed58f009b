-- One row per site, camera, model and version: its first and last event there.
select
    site_id,
    camera_id,
    model_name,
    model_version,
    cast(first_event_at as date) as first_date,
    cast(last_event_at as date) as last_date,
    epoch_ms(first_event_at) as first_ms,
    epoch_ms(last_event_at) as last_ms,
    event_count
from model_versions
order by site_id, camera_id, first_event_at, model_name, model_version
