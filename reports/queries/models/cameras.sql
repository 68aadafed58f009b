-- One row per site, camera, model and version: when it first and last spoke there.
select
    site_id,
    camera_id,
    model_name || ' ' || model_version as model,
    epoch_ms(first_event_at) as first_ms,
    epoch_ms(last_event_at) as last_ms,
    event_count::double as events
from model_versions
order by site_id, camera_id, first_ms, model
