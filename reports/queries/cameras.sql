-- One row per site and camera: what it sent in the last 31 dates with events of its site, and how long ago the newest was.
select
    site_id,
    camera_id,
    sum(event_count)::double as events,
    count(distinct event_date)::double as dates_seen,
    strftime(max(event_date), '%Y-%m-%d') as newest_date,
    min(days_ago)::double as days_silent,
    sum(mean_confidence * event_count) / nullif(sum(event_count), 0) as mean_confidence,
    count(distinct model_name || ' ' || model_version)::double as models
from plant.camera_days
where ${inputs.site.matches} and days_ago < 31
group by site_id, camera_id
order by days_silent desc, site_id, camera_id
