-- One row per site, camera, model and version with events in the period: its first and last event.
select
    site_id,
    camera_id,
    model_name || ' ' || model_version as model,
    first_ms,
    last_ms,
    event_count::double as events
from plant.camera_versions
where ($site is null or site_id = $site) and first_date <= $to_date and last_date >= $from_date
order by site_id, camera_id, first_ms, model
