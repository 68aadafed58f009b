-- One row per site, camera and UTC date of the site's last 31 dates: how much of its scheduled time the camera covered.
with newest as (

    select
        site_id,
        max(event_date) as site_date
    from camera_days
    where event_date <= coalesce((select max(landed_at)::date from landed_objects), event_date)
    group by site_id

)

select
    camera_days.site_id,
    camera_days.camera_id,
    strftime(camera_days.event_date, '%Y-%m-%d') as event_date,
    camera_days.event_count::double as events,
    camera_days.covered_seconds / nullif(camera_days.scheduled_seconds, 0) as coverage
from camera_days
inner join newest
    on camera_days.site_id = newest.site_id
where camera_days.event_date > newest.site_date - 31
order by camera_days.site_id, camera_days.camera_id, camera_days.event_date
